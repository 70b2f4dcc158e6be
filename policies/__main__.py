"""`python -m policies check | explain | simulate`: for people who write policies, and for CI."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from changes.catalog import CATALOG
from changes.grammar import Asked, Mistake, parse, usages_of
from changes.plan import CannotPlan
from changes.request import Person
from policies import Policies, Problems, load
from policies.explain import explain as explained
from policies.explain import verdict_in_words
from policies.given import from_examples, from_file, moment
from policies.simulate import simulate as simulated
from policies.simulate import summary

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
FOLDER = click.option(
    "--path", "folder", type=click.Path(path_type=Path), help="The folder of policy files."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Check policy files, and ask what they would say."""


@main.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@AS_JSON
def check(path: Path | None, as_json: bool) -> None:
    """Load the files of PATH and run their examples; exit 1 and say where when anything is wrong.

    PATH is a folder (or a file in it); else OTTLA_POLICIES, else the folder shipped with Ottla.
    """
    found = load(folder_of(path), catalog=CATALOG)
    problems = list(found) if isinstance(found, Problems) else []
    if as_json:
        out({"ok": not problems, "problems": [one.model_dump() for one in problems]})
    elif isinstance(found, Problems):
        click.echo(found.words())
    else:
        click.echo(f"OK: {counted(found)}")
    sys.exit(1 if problems else 0)


@main.command()
@click.argument("cluster")
@click.argument("text", nargs=-1, required=True)
@click.option("--facts", "file", type=click.Path(path_type=Path), help="A survey or named facts.")
@click.option("--at", default="", help="The moment, like 2026-11-23T10:00+01:00; else now.")
@click.option("--as", "requester", default="U00000000", help="The requester's Slack user id.")
@FOLDER
@AS_JSON
def explain(
    cluster: str,
    text: tuple[str, ...],
    file: Path | None,
    at: str,
    requester: str,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Say which rules look at a change of CLUSTER typed as TEXT, and what each says.

    Facts come from --facts (a JSON survey, which is planned for real, or named facts), else from
    the examples of the policies themselves.
    """
    policies = loaded(folder)
    asked = understood(policies, cluster, " ".join(text))
    now = when(at)
    person = Person(user_id=requester, name=requester)
    given = (
        from_file(
            file, policies=policies, change=asked.change, person=person, because=asked.because
        )
        if file
        else from_examples(policies, asked.change)
    )
    if isinstance(given, str):
        fail(given)
    if isinstance(given, CannotPlan):
        verdict = policies.refusal(cannot=given)
        out(verdict.model_dump(mode="json")) if as_json else click.echo(verdict_in_words(verdict))
        return
    facts = {"request.because": asked.because, "request.requester": requester, **given.facts}
    told = explained(
        policies,
        change=asked.change,
        facts=facts,
        facts_from=given.source,
        risk=given.risk,
        now=now,
    )
    out(told.model_dump(mode="json")) if as_json else click.echo(told.words())


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@FOLDER
@AS_JSON
def simulate(file: Path, folder: Path | None, as_json: bool) -> None:
    """Judge every entry of FILE (JSON, or JSON lines) by the policies as they are now.

    An entry has cluster, change, facts, and if wanted name, at, expect. Exit 1 when a verdict is
    unlike the one recorded in expect.
    """
    found = simulated(loaded(folder), file, catalog=CATALOG)
    if isinstance(found, str):
        fail(found)
    if as_json:
        out([one.model_dump(mode="json") for one in found])
    else:
        for one in found:
            click.echo(one.words())
        click.echo(summary(found))
    sys.exit(0 if all(one.as_expected for one in found) else 1)


def folder_of(path: Path | None) -> Path:
    if path is None:
        path = Path(os.environ.get("OTTLA_POLICIES") or shipped())
    return path.parent if path.is_file() else path


def shipped() -> Path:
    here = Path(__file__).parent
    return here.relative_to(Path.cwd()) if here.is_relative_to(Path.cwd()) else here


def loaded(folder: Path | None) -> Policies:
    found = load(folder_of(folder), catalog=CATALOG)
    if isinstance(found, Problems):
        fail(found.words())
    return found


def understood(policies: Policies, cluster: str, text: str) -> Asked:
    known: Sequence[str] = tuple(policies.clusters)
    if cluster not in known:
        fail(f"there is no cluster {cluster}; known: {', '.join(known)}")
    asked = parse(text, usages=usages_of(CATALOG), clusters=known, default_cluster=cluster)
    if isinstance(asked, Mistake):
        fail(asked.words())
    if not isinstance(asked, Asked):
        fail(f"{text} asks for no change")
    return asked


def when(at: str) -> datetime:
    found = moment(at) if at else datetime.now(UTC)
    if isinstance(found, str):
        fail(found)
    return found


def counted(policies: Policies) -> str:
    rules = sum(len(one.rules) for one in policies.compiled)
    examples = sum(len(one.policy.examples) for one in policies.compiled)
    return (
        f"{len(policies.compiled)} policies, {rules} rules and {examples} examples "
        f"for {len(policies.clusters)} clusters (digest {policies.digest[:8]})"
    )


def out(data: Any) -> None:
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def fail(words: str) -> NoReturn:
    click.echo(words, err=True)
    sys.exit(1)


if __name__ == "__main__":
    main(prog_name="python -m policies")
