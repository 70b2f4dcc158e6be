"""The words around the product: links resolve, commands exist, examples parse, names are real.

What a page shows is either run here or compared with the code; a renamed option, function or file
makes a page wrong, and this says which line of it.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import click
import pytest
import yaml
from pydantic import BaseModel

from bot.questions import QUESTIONS
from bot.settings import Settings as BotSettings
from changes.catalog import CATALOG
from changes.grammar import Asked, Question, parse
from changes.grammar_usage import usages_of
from policies.yaml_files import variable_of
from watch.settings import Settings as WatchSettings
from workers.settings import Settings as WorkerSettings

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "policies/README.md",
        ROOT / "lab/slack/FIDELITY.md",
        ROOT / "requirements/README.md",
    ]
)
ROOMS = ("bot", "workers", "watch", "policies", "ledger", "cluster", "changes", "lab", "bench")
CLUSTERS = ("orders-prod", "orders-lab")


class Place(NamedTuple):
    """Something a page shows, and where."""

    page: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def fences(text: str) -> Iterator[tuple[int, str, str]]:
    """Every fenced block: the line it begins on, its language, its content."""
    for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S):
        yield text[: found.start()].count("\n") + 2, found[1], found[2]


def prose(text: str) -> str:
    """The page with its fenced blocks blanked, so that line numbers stay."""
    blank: Callable[[re.Match[str]], str] = lambda found: "\n" * found[0].count("\n")  # noqa: E731
    return re.sub(r"^```.*?^```$", blank, text, flags=re.M | re.S)


# Links


def links() -> list[Place]:
    found = []
    for page in PAGES:
        text = prose(page.read_text(encoding="utf-8"))
        for link in re.finditer(r"\]\(([^)\s]+)\)", text):
            line = text[: link.start()].count("\n") + 1
            if not re.match(r"[a-z]+:", link[1]):
                found.append(Place(named(page), line, link[1]))
    return found


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors of a page's headings, as they are made on the web."""
    text = prose(page.read_text(encoding="utf-8"))
    heads = re.findall(r"^#{1,6} (.+)$", text, re.M)
    plain = [re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads]
    return frozenset(plain)


def test_there_are_links_to_check() -> None:
    assert len(links()) > 30


@pytest.mark.parametrize("place", links(), ids=str)
def test_every_relative_link_leads_somewhere(place: Place) -> None:
    page = ROOT / place.page
    name, _, anchor = place.text.partition("#")
    target = (page.parent / name).resolve() if name else page
    assert target.exists(), f"{place}: there is no {target.name}"
    assert not anchor or anchor in anchors(target), f"{place}: {target.name} has no such heading"


# Commands


def shell_lines() -> list[Place]:
    """What is typed in `console` blocks after `$`, and every line of `sh` blocks."""
    found = []
    for page in PAGES:
        for first, language, content in fences(page.read_text(encoding="utf-8")):
            for number, line in enumerate(content.splitlines(), start=first):
                if language == "console" and line.startswith("$ "):
                    found.append(Place(named(page), number, line[2:]))
                elif language == "sh":
                    found.append(Place(named(page), number, line.partition("#")[0].strip()))
    return found


def inline_commands() -> list[Place]:
    """Commands of ours named in the running text."""
    found = []
    for page in PAGES:
        text = prose(page.read_text(encoding="utf-8"))
        for code in re.finditer(r"`((?:python -m|lab|make) [^`]+)`", text):
            line = text[: code.start()].count("\n") + 1
            found.append(Place(named(page), line, " ".join(code[1].split())))
    return found


def module_calls() -> list[Place]:
    places = [*shell_lines(), *inline_commands()]
    texts = [
        place._replace(text=re.sub(r"^lab ", "python -m lab ", place.text)) for place in places
    ]
    return [
        one
        for one in texts
        if re.search(r"python -m (bot|workers|policies|ledger|lab|bench)\b", one.text)
    ]


@cache
def command_of(module: str) -> click.Command:
    """The click command behind `python -m MODULE`."""
    package = importlib.import_module(module)
    main = f"{module}.__main__" if hasattr(package, "__path__") else module
    commands = [
        value
        for value in vars(importlib.import_module(main)).values()
        if isinstance(value, click.Command)
    ]
    groups = [one for one in commands if isinstance(one, click.Group)]
    return (groups or commands)[0]


def what_is_wrong(module: str, words: list[str]) -> str:
    """Follow the words through subcommands and options; the first that is not there, or nothing."""
    command = command_of(module)
    context = click.Context(command)
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        inner = command.get_command(context, words[0])
        if inner is None:
            return f"`{words[0]}` is no command of `{module}`: {', '.join(command.commands)}"
        command, words = inner, words[1:]
    options = {name for one in command.params for name in one.opts if name.startswith("-")}
    options |= {"--help", "-h"}
    for word in words:
        if word == "--":
            break
        name = word.partition("=")[0]
        if name.startswith("-") and name not in options:
            return f"`{name}` is no option of `{command.name}`: {', '.join(sorted(options))}"
    return ""


def after_module(text: str) -> tuple[str, list[str]]:
    found = re.search(r"python -m ([\w.]+)(.*)", text)
    assert found
    # Up to a pipe or a list of alternatives such as `check | explain`; brackets are usage, not text.
    rest = re.split(r" \| |[\[\]|]|…", found[2])[0]
    return found[1], shlex.split(rest.replace("\\", " "))


def test_there_are_commands_to_check() -> None:
    assert len(module_calls()) > 30


@pytest.mark.parametrize("place", module_calls(), ids=str)
def test_every_command_shown_exists_with_its_options(place: Place) -> None:
    module, words = after_module(place.text)
    assert not what_is_wrong(module, words), place


def test_a_command_that_does_not_exist_would_be_noticed() -> None:
    assert "no command" in what_is_wrong("lab", ["shout"])
    assert "no option" in what_is_wrong("lab", ["say", "--loudly"])
    assert "no option" in what_is_wrong("ledger", ["verify", "--hat", "x"])


def targets() -> set[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):", text, re.M))


@pytest.mark.parametrize(
    "place",
    [one for one in (*shell_lines(), *inline_commands()) if one.text.startswith("make ")],
    ids=str,
)
def test_every_make_target_shown_exists(place: Place) -> None:
    assert place.text.split()[1] in targets(), place


def test_the_first_screen_and_ci_name_the_same_test_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    first_screen = readme[: readme.index("## ")]
    ci = (ROOT / ".ci/run").read_text(encoding="utf-8").strip().splitlines()[-1]
    assert ci == "make test"
    assert f"\n{ci} " in first_screen
    assert "\nmake demo " in first_screen
    assert "docs/pictures/page.png" in first_screen


# Slack commands


def kafka_lines() -> list[Place]:
    """Every `/kafka …` of every page, in code or in a shell line; `…` and words in capitals are prose."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), start=1):
            typed = re.findall(r"`[^`]*?/kafka ([^`]+)`", line)
            if line.startswith("$ "):
                typed += re.findall(r"/kafka (.+)$", line)
            found += [Place(named(page), number, one.strip()) for one in typed]
    return [one for one in found if not re.search(r"…|\bN\b|\bR-n\b|<", one.text)]


@pytest.mark.parametrize("place", kafka_lines(), ids=str)
def test_every_slack_command_shown_is_understood(place: Place) -> None:
    """Mistakes shown on purpose are in a list, and must be mistakes."""
    understood = parse(
        place.text,
        usages=usages_of(CATALOG, QUESTIONS),
        clusters=CLUSTERS,
        default_cluster="orders-prod",
    )
    right = isinstance(understood, Asked | Question)
    assert right == (place.text not in MISTAKES_ON_PURPOSE), f"{place}: {understood}"


MISTAKES_ON_PURPOSE = ("scale broker 9", "scale brokers -6")


def test_there_are_slack_commands_to_check() -> None:
    assert len(kafka_lines()) > 8
    assert set(MISTAKES_ON_PURPOSE) <= {one.text for one in kafka_lines()}


# Names, settings, keys


def code_names() -> list[Place]:
    """Dotted names of ours in the running text, such as `changes.request.vote`."""
    found = []
    pattern = rf"`((?:{'|'.join(ROOMS)})(?:\.\w+)+)`"
    for page in PAGES:
        text = prose(page.read_text(encoding="utf-8"))
        for name in re.finditer(pattern, text):
            if not name[1].endswith((".json", ".yaml", ".py", ".md")):
                found.append(Place(named(page), text[: name.start()].count("\n") + 1, name[1]))
    return found


def is_real(name: str) -> bool:
    """A module, or something in one, or a typed field of a class in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            thing: ModuleType | object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            if not hasattr(thing, part) and part not in getattr(thing, "model_fields", {}):
                return False
            thing = getattr(thing, part, None)
        return True
    return False


@pytest.mark.parametrize(
    "place", [one for one in code_names() if one.page == "docs/architecture.md"], ids=str
)
def test_every_name_of_code_is_real(place: Place) -> None:
    assert is_real(place.text), place


def test_a_name_that_is_not_real_would_be_noticed() -> None:
    assert not is_real("changes.request.veto")
    assert not is_real("changes.nowhere.vote")
    assert len(code_names()) > 30


def table_rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table behind a sentence."""
    text = (ROOT / page).read_text(encoding="utf-8")
    after = text[text.index(heading) + len(heading) :]
    rows = re.findall(r"(?:^\|.*\n)+", after, re.M)[0].strip().splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


@pytest.mark.parametrize(
    ("heading", "settings"),
    [
        ("The bot (`--config FILE`):", BotSettings),
        ("Worker, ticker and watch", WorkerSettings),
        ("Worker, ticker and watch", WatchSettings),
    ],
)
def test_the_settings_tables_are_the_settings(heading: str, settings: type[BaseModel]) -> None:
    shown = {(row[0], row[1]) for row in table_rows("docs/operating.md", heading)}
    real = {(f"`{name}`", f"`{variable_of(settings, name)}`") for name in settings.model_fields}
    assert shown == real


def test_the_scopes_explained_are_the_scopes_asked_for() -> None:
    manifest = yaml.safe_load((ROOT / "deploy/slack-manifest.yaml").read_text(encoding="utf-8"))
    shown: set[str] = set()
    for row in table_rows("docs/operating.md", "What each bot scope is for:"):
        shown |= set(re.findall(r"`([a-z:]+)`", row[0]))
    assert shown == set(manifest["oauth_config"]["scopes"]["bot"])


def test_every_ended_state_has_a_row() -> None:
    from changes.lifecycle import ENDED

    rows = table_rows("docs/operating.md", "## What to do when a request has ended")
    assert {row[0].strip("*") for row in rows} == {state.value for state in ENDED}


def test_the_new_changes_page_shows_the_toy_that_is_run() -> None:
    from tests.workers.test_toy_change import TOY

    page = (ROOT / "docs/how-to-add-a-change.md").read_text(encoding="utf-8")
    (code,) = [content for _, language, content in fences(page) if language == "python"]
    assert code.strip() == TOY.strip()


def test_no_word_of_the_glossary_is_explained_twice() -> None:
    words = [row[0] for row in table_rows("docs/glossary.md", "consumer group, lag.")]
    assert len(words) == len(set(words)) > 30
    assert words == sorted(words, key=str.casefold)


# Generated pages


def generated() -> Mapping[Path, str]:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pages: Mapping[Path, str] = module.pages()
    return pages


def test_generated_pages_are_what_the_code_says() -> None:
    stale = [named(page) for page, text in generated().items() if page.read_text() != text]
    assert not stale, f"{', '.join(stale)}: run `make docs`"


def test_no_generated_page_is_left_over() -> None:
    """Of a change or a rule that is gone."""
    for folder in ("changes", "alerts"):
        assert set((ROOT / "docs" / folder).glob("*.md")) <= set(generated())
