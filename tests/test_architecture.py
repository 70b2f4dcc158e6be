"""What must be there for everything people can ask for, and what must not be anywhere.

import-linter holds who may import whom (`make check`); this holds what it cannot say: companions of a
change, docstrings, clocks in the core, long files without a reason.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot.questions import QUESTIONS
from changes import catalog
from changes.catalog import CATALOG
from changes.change import Change
from changes.grammar import Asked, parse
from changes.grammar_usage import usages_of
from changes.pages import steps_of
from watch.pages import meanings_of
from watch.rule import Rule
from watch.rules import rules

ROOT = Path(__file__).parents[1]
ROOMS = ("bot", "workers", "watch", "policies", "ledger", "cluster", "changes", "lab", "bench")
RULES = rules()
LINES_MAX = 400

LONG_FILES: Mapping[str, str] = {
    "changes/catalog/scale_brokers.py": "one change is one file: its plan and its own two steps",
    "tests/lab/slack/block_limits.py": "a table: one row per limit of Block Kit",
}
"""Files over the limit, each with its reason."""

PRINTS: Mapping[str, str] = {
    "lab/slack/__main__.py": "its addresses are its output",
}
"""Where `print` is meant; everything else says things by click or the log."""

IO_MODULES = frozenset(
    {"aiohttp", "aiokafka", "asyncio", "boto3", "botocore", "cel_expr_python", "click", "ctypes"}
    | {"ftplib", "http", "httpx", "io", "logging", "multiprocessing", "os", "redis", "requests"}
    | {"rq", "shutil", "signal", "slack_bolt", "slack_sdk", "smtplib", "socket", "sqlite3", "ssl"}
    | {"subprocess", "tempfile", "threading", "urllib", "yaml"}
)
"""No client, no file, no process, no thread, no log in the core."""


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def sources(*folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


# What must be there


@pytest.mark.parametrize("change", CATALOG, ids=lambda change: change.__name__)
def test_every_change_has_its_page_its_test_and_examples_that_work(change: type[Change]) -> None:
    name = change.__module__.rpartition(".")[2]
    assert (ROOT / f"docs/changes/{name}.md").is_file(), "run `make docs`"
    assert (ROOT / f"tests/changes/test_{name}.py").is_file()
    assert sys.modules[change.__module__].__doc__, "its docstring is its help and its page"
    assert change.examples
    for example in change.examples:
        asked = parse(
            example,
            usages=usages_of(CATALOG, QUESTIONS),
            clusters=("orders-prod",),
            default_cluster="orders-prod",
        )
        assert isinstance(asked, Asked), example
        assert type(asked.change) is change


@pytest.mark.parametrize("change", CATALOG, ids=lambda change: change.__name__)
def test_every_step_of_a_change_names_its_permissions_and_what_it_does(
    change: type[Change],
) -> None:
    for step in steps_of(change):
        assert step.permissions, step.__name__
        assert step.__doc__, step.__name__


def test_the_catalog_is_every_file_of_its_folder() -> None:
    files = {file.stem for file in Path(catalog.__file__).parent.glob("[!_]*.py")}
    assert {change.__module__.rpartition(".")[2] for change in CATALOG} == files


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_has_its_page_its_name_and_settings_in_words(rule: type[Rule[Any]]) -> None:
    name = rule.__module__.rpartition(".")[2]
    assert rule.name == name, "alerts.yaml calls it by its file"
    assert (ROOT / f"docs/alerts/{name}.md").is_file(), "run `make docs`"
    assert sys.modules[rule.__module__].__doc__, "its docstring is its page"
    assert rule.title
    rule.Settings()  # every setting has a default
    silent = set(rule.Settings.model_fields) - set(meanings_of(rule.Settings))
    assert not silent, "a sentence below each setting"
    assert not {"exceptions", "match"} & set(rule.Settings.model_fields), "alerts.yaml uses these"


def test_the_rules_are_every_file_of_their_folder() -> None:
    files = {file.stem for file in (ROOT / "watch/rules").glob("[!_]*.py")}
    assert {rule.name for rule in RULES} == files


def test_no_rule_reads_a_clock_or_reaches_outside() -> None:
    files = sources("watch/rules")
    imports = [
        f"{name_of(file)} imports {module}"
        for file in files
        for module in imported(tree_of(file))
        if module.partition(".")[0]
        in {*IO_MODULES, "cluster", "ledger", "policies"} - {"importlib"}
        and file.stem != "__init__"
    ]
    clocks = [
        f"{name_of(file)} calls {call}"
        for file in files
        for call in calls(tree_of(file))
        if call in ("datetime.now", "time.time", "time.monotonic", "open")
    ]
    assert not imports + clocks


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_says_what_it_is_for(room: str) -> None:
    words = ast.get_docstring(tree_of(ROOT / room / "__init__.py"))
    assert words


def test_every_module_with_code_says_what_it_is_for() -> None:
    silent = [
        name_of(file)
        for file in sources(*ROOMS)
        if tree_of(file).body and not ast.get_docstring(tree_of(file))
    ]
    assert not silent


def test_every_room_is_in_the_tables_of_the_architecture_page_and_of_the_build() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    build = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    folders = {file.parent.name for file in ROOT.glob("[a-z]*/__init__.py")} - {"tests"}
    assert folders == set(ROOMS)
    for room in ROOMS:
        assert f"\n| `{room}` |" in page, room
        assert f'"{room}"' in build, room


# What must not be


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def calls(tree: ast.AST) -> Iterator[str]:
    """Every call by the words it is written with, such as `datetime.now`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def test_the_core_imports_nothing_that_reaches_outside() -> None:
    breaches = [
        f"{name_of(file)} imports {module}"
        for file in sources("changes")
        for module in imported(tree_of(file))
        if module.partition(".")[0] in IO_MODULES
    ]
    assert not breaches


def test_the_core_reads_no_clock_no_chance_and_no_file() -> None:
    unwanted = ("datetime.now", "datetime.utcnow", "date.today", "time.time", "time.monotonic")
    breaches = [
        f"{name_of(file)} calls {call}"
        for file in sources("changes")
        for call in calls(tree_of(file))
        if call in (*unwanted, "open", "input") or call.startswith(("random.", "secrets.", "uuid."))
    ]
    assert not breaches


def test_these_looks_would_notice() -> None:
    tree = ast.parse("import os.path\nfrom yaml import load\nnow = datetime.now(UTC)\nprint(1)")
    assert {module.partition(".")[0] for module in imported(tree)} <= IO_MODULES
    assert set(calls(tree)) == {"datetime.now", "print"}


def test_no_module_names_a_file_of_the_catalog() -> None:
    """Whoever imports one by name has to be edited when the next is added. Bench measures one on purpose."""
    breaches = [
        f"{name_of(file)} imports {module}"
        for file in sources(*(set(ROOMS) - {"bench"}))
        if not name_of(file).startswith("changes/catalog/")
        and "changes.catalog." in file.read_text(encoding="utf-8")
        for module in imported(tree_of(file))
        if module.startswith("changes.catalog.")
    ]
    assert not breaches


def test_nothing_is_printed_for_debugging() -> None:
    breaches = [
        name_of(file)
        for file in sources(*ROOMS)
        if re.search(r"\b(print|pprint|breakpoint)\(", file.read_text(encoding="utf-8"))
        and {"print", "breakpoint", "pprint"} & set(calls(tree_of(file)))
        and name_of(file) not in PRINTS
    ]
    assert not breaches


def test_long_files_have_a_reason() -> None:
    lengths = {
        name_of(file): len(file.read_text(encoding="utf-8").splitlines())
        for file in sources(*ROOMS, "tests", "docs", "deploy")
    }
    long = {name: lines for name, lines in lengths.items() if lines > LINES_MAX}
    assert not set(long) - set(LONG_FILES), long
    assert all(LONG_FILES.values())


def test_no_file_is_called_utils() -> None:
    vague = {"utils", "util", "helpers", "common", "misc"}
    assert not [name_of(file) for file in sources(*ROOMS, "tests") if file.stem in vague]
