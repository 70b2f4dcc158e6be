"""Docs pages of the rules, drawn from their own files: docstring, settings, what excuses them.

Text in, text out; `docs/generate.py` writes the files and a test compares them, so a page can never
say something else than the code.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic.fields import FieldInfo

from changes.pages import GENERATED
from changes.tagged import Value
from watch.rule import Rule

COMMON: Mapping[str, str] = {
    "enabled": "False = this rule does not look.",
    "hold_seconds": "How long it must hold before people are told.",
    "hold_minutes": "How long it must hold before people are told.",
    "clear_seconds": "How long it must be gone before it counts as over.",
    "clear_minutes": "How long it must be gone before it counts as over.",
}
"""Settings that mean the same in every rule; a rule's own words go before."""


def rule_page(rule: type[Rule[Any]]) -> str:
    """What it sees and cannot see, its settings as `alerts.yaml` may set them, what excuses it."""
    module = sys.modules[rule.__module__]
    title, _, rest = (module.__doc__ or "").strip().partition("\n")
    excuses = [
        f"- a change that **{effect.value}**: {why}" for effect, why in rule.excused_by.items()
    ]
    blocks = [
        f"# {rule.title}",
        GENERATED,
        f"**`{rule.name}`**, shown with *{rule.family.value}*. {title}",
        rest.strip(),
        "## Settings",
        f"In `alerts.yaml` under `rules: {{{rule.name}: …}}`, for all clusters or for one.",
        settings_table(rule.Settings),
        "## Held back while a change runs",
        "\n".join(excuses) or "Never.",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def index_page(rules: Iterable[type[Rule[Any]]], incident_settings: type[Value]) -> str:
    rows = [
        f"| [{rule.name}]({file_of(rule)}.md) | {rule.title} | {rule.family.value} |"
        for rule in sorted(rules, key=lambda one: (one.family.value, one.name))
    ]
    blocks = [
        "# What the watch tells people",
        GENERATED,
        "One file in `watch/rules/` is one thing worth telling somebody. Each has a page here; what may "
        "be set in `alerts.yaml` is on it. How the file is written: "
        "[policies](../../policies/README.md#when-to-worry-alertsyaml).",
        "\n".join(["| rule | tells that | shown with |", "|---|---|---|", *rows]),
        "## Incidents",
        "One Slack message per cluster and family. Under `incidents:` in `alerts.yaml`:",
        settings_table(incident_settings),
    ]
    return "\n\n".join(blocks) + "\n"


def file_of(rule: type[Rule[Any]]) -> str:
    return rule.__module__.rpartition(".")[2]


def settings_table(settings: type[Value]) -> str:
    meanings = meanings_of(settings)
    rows = [
        f"| `{name}` | {default_of(info)} | {meanings.get(name, '')} |"
        for name, info in settings.model_fields.items()
    ]
    return "\n".join(["| setting | default | |", "|---|---|---|", *rows])


def default_of(info: FieldInfo) -> str:
    value = info.get_default(call_default_factory=True)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return f"`[{', '.join(map(str, value))}]`"
    return f"`{value}`" if value != "" else ""


def meanings_of(settings: type[Value]) -> Mapping[str, str]:
    """The words below each field, in the class itself and in those it stands on."""
    found = dict(COMMON)
    for kind in reversed(settings.__mro__):
        if issubclass(kind, Value) and kind is not Value:
            found |= own_meanings(kind)
    return {name: words for name, words in found.items() if name in settings.model_fields}


def own_meanings(kind: type[Value]) -> Mapping[str, str]:
    (made,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    if not isinstance(made, ast.ClassDef):
        return {}
    found = {}
    for field, words in zip(made.body, made.body[1:], strict=False):
        match field, words:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = " ".join(text.split())
    return found
