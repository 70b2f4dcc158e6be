# One word each; every target installs what it needs. A bare machine with Python 3.11, make and git is enough.
PYTHON ?= python3
BIN := .venv/bin

MINUTES ?= 30

.PHONY: demo test check lint fault soak bench clean lock install lab-down unit docs pictures
.DEFAULT_GOAL := check

install: .venv/installed

# requirements/dev.txt is locked with hashes, so pip refuses anything that is not what was locked.
.venv/installed: requirements/dev.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Ottla needs Python 3.11 or newer; set PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

demo: install ## The product on this laptop: lab, bot, workers and a tour; Ctrl-C ends it
	$(BIN)/python -m lab up --tour

check: install ## Lint, format, types, layers, tests without the lab; two at a time
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target lint unit

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# What is left out here by folder is left out by its marker anyway; reading it would take seconds.
unit: install
	$(BIN)/pytest -q -n 2 -m "not lab and not browser and not fault and not slow" --ignore=tests/lab --ignore=tests/scenarios

test: check ## All of check, plus the scenarios on the lab
	$(BIN)/pytest -q -n 3 -m slow
	$(BIN)/pytest -n 2 --dist loadfile -m "lab or browser"

fault: install ## Kill, cut off and slow down everything at every moment of the main job; one table
	$(BIN)/pytest -q -n 2 --dist worksteal -m fault tests/faults

soak: install ## A healthy, busy lab must be quiet: zero messages in MINUTES (30) minutes
	$(BIN)/python -m tests.scenarios.soak --minutes $(MINUTES)

bench: install ## Measure speed and size of everything, one table (about seven minutes; see docs/numbers.md)
	$(BIN)/python -m bench all

pictures: install ## Make the docs' pictures again: the browser tests, with their screenshots kept
	OTTLA_PICTURES=docs/pictures $(BIN)/pytest -q tests/scenarios/test_browser.py tests/bot/test_incident_pictures.py

docs: install ## Make the generated pages again
	PYTHONPATH=. $(BIN)/python docs/generate.py
	PYTHONPATH=. $(BIN)/python deploy/generate.py

lock: install ## Lock the requirements again, with hashes
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/python -m uv pip compile pyproject.toml --extra iam --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements/runtime.txt
	$(BIN)/python -m uv pip compile pyproject.toml --extra lab --extra iam --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements/dev.txt

clean: ## Stop the lab and remove what was made
	-test ! -x $(BIN)/python || $(BIN)/python -m lab down
	rm -rf .lab .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
