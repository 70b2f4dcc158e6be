"""`python -m bench plan | compare | ack | approve | pile | scan | all`: what Ottla needs, measured.

The planner is measured on cases in the frozen format, everything else on the processes themselves.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import click

from bench import ack as ack_story
from bench import approve as approve_story
from bench import numbers
from bench import pile as pile_story
from bench import scan as scan_story
from bench.case import Mistake, read_case, read_plan, write_plan
from bench.numbers import Number
from bench.planning import run_planner
from bench.table import Row, table
from changes.placement.judge import judge
from changes.placement.measure import measure

CASES = Path(__file__).parent / "cases"
UNUSABLE = 2  # the exit status of a file that cannot be used, as click has it for bad options
REFUSED = 1  # the judge found something


@click.group()
def main() -> None:
    """Measure plans for moving replicas, and the speed and size of the running product."""


@main.command()
@click.argument("source", metavar="INPUT", type=click.Path(path_type=Path))
@click.option("--mode", type=click.Choice(["balanced"]), default="balanced", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Write the plan here (.xz packs it).")
@click.option("--json", "as_json", is_flag=True, help="Print the metrics as one JSON object.")
def plan(source: Path, mode: str, out: Path | None, as_json: bool) -> None:
    """Plan INPUT (.json or .json.xz), print its metrics, write the plan.

    \b
    Example: python -m bench plan bench/cases/input_A_3to6.json.xz --out plan.txt
    """
    if out is not None and out.resolve() == source.resolve():
        _stop(Mistake(f"{out}: is the input itself; name another file for the plan."))
    placement = read_case(source)
    if isinstance(placement, Mistake):
        _stop(placement)
    run = run_planner(placement, case=_case_name(source))
    if out is not None:
        unwritten = write_plan(out, run.plan)
        if unwritten:
            _stop(unwritten)
    if as_json:
        click.echo(json.dumps({"mode": mode, **run.row.as_json(), "refused": run.refused}))
    else:
        click.echo(table([run.row]))
        click.echo(_verdict(run.refused))
    sys.exit(REFUSED if run.refused else 0)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path), default=CASES)
@click.option("--json", "as_json", is_flag=True, help="Print the rows as a JSON list.")
def compare(folder: Path, as_json: bool) -> None:
    """Plan every case in FOLDER and set other tools' frozen plans beside ours, all recomputed.

    Cases are input_CASE.json(.xz), plans CASE__TOOL.txt(.xz). Without FOLDER: the cases kept here.
    """
    sources = sorted(folder.glob("input_*.json*"))
    if not sources:
        _stop(Mistake(f"{folder}: holds no case; name a folder with files like input_A.json.xz."))
    rows = [row for source in sources for row in _rows(source)]
    click.echo(json.dumps([row.as_json() for row in rows]) if as_json else table(rows))


seconds_option = click.option(
    "--seconds", type=click.FloatRange(1, 3600), default=60, show_default=True, help="How long."
)
requests_option = click.option(
    "--requests", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="How many."
)
lab_option = click.option(
    "--lab",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of a running lab with three brokers; without it one is started.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")


@main.command()
@seconds_option
@click.option("--rate", type=click.FloatRange(0.1, 500), default=50, show_default=True)
@json_option
def ack(seconds: float, rate: float, as_json: bool) -> None:
    """How fast commands are acknowledged under load, and whether each is answered."""
    _show([_ack(seconds, rate)], as_json=as_json)


@main.command()
@lab_option
@json_option
def approve(lab: Path | None, as_json: bool) -> None:
    """Approver's click → MSK's call, and the roles' idle memory, on a lab with real brokers."""
    _show([_approve(lab)], as_json=as_json)


@main.command()
@requests_option
@json_option
def pile(requests: int, as_json: bool) -> None:
    """What finished requests cost: Redis, the card, the lists, the bot's start."""
    _show([_pile(requests)], as_json=as_json)


@main.command()
@lab_option
@click.option("--groups", type=click.IntRange(1, 20_000), default=2000, show_default=True)
@click.option("--rounds", type=click.IntRange(2, 50), default=7, show_default=True)
@click.option("--shell-rounds", type=click.IntRange(0, 50), default=2, show_default=True)
@json_option
def scan(lab: Path | None, groups: int, rounds: int, shell_rounds: int, as_json: bool) -> None:
    """The lag of every consumer group: Ottla's scan, two Python clients and Kafka's own tool."""
    _show([_scan(lab, groups, rounds, shell_rounds)], as_json=as_json)


@main.command("all")
@seconds_option
@requests_option
@lab_option
@json_option
def all_command(seconds: float, requests: int, lab: Path | None, as_json: bool) -> None:
    """Every story, one table."""
    stories = [
        _ack(seconds, 50),
        _pile(requests),
        _approve(lab),
        # The second scan reads metadata and log starts too, as every tenth: of two it would be the median.
        _scan(lab, groups=2000, rounds=7, shell_rounds=1),
        _case_a,
    ]
    _show(stories, as_json=as_json)


Story = Callable[[Path], Sequence[Number]]


def _ack(seconds: float, rate: float) -> Story:
    return lambda folder: ack_story.measure(folder, seconds=seconds, per_second=rate)


def _pile(requests: int) -> Story:
    return lambda folder: pile_story.measure(folder, requests=requests)


def _approve(lab: Path | None) -> Story:
    return lambda folder: approve_story.measure(folder, lab=lab)


def _scan(lab: Path | None, groups: int, rounds: int, shell_rounds: int) -> Story:
    return lambda folder: scan_story.measure(
        folder, lab=lab, groups=groups, rounds=rounds, shell_rounds=shell_rounds
    )


def _case_a(folder: Path) -> Sequence[Number]:
    """The frozen case, in a process of its own: peak memory is a whole process's."""
    del folder
    command = [sys.executable, "-m", "bench", "plan", str(pile_story.CASE), "--json"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = json.loads(said)
    return (
        Number(
            "plan of case A (3 → 6, 600 partitions): bytes ÷ bound",
            found["bytes_over_bound"],
            "",
            1.02,
        ),
        Number("its fullest disk ÷ mean", found["disk_max_over_mean"], "", 1.02),
        Number("its most leaders ÷ mean", found["leaders_max_over_mean"], "", 1.05),
        Number("its time", found["seconds"], "s", 1),
        Number("its process's peak memory", found["peak_mib"], "MiB"),
    )


def _show(stories: Sequence[Story], *, as_json: bool) -> None:
    """Run them one after another, each in an empty folder; status 1 when a target is missed."""
    found: list[Number] = []
    before = numbers.circumstances()
    for story in stories:
        with tempfile.TemporaryDirectory(prefix="ottla-bench-") as folder:
            found += story(Path(folder))
    if as_json:
        click.echo(json.dumps({"circumstances": before, "numbers": numbers.as_json(found)}))
    else:
        click.echo(f"{before}\n\n{numbers.table(found)}")
    sys.exit(0 if all(one.kept for one in found) else REFUSED)


def _rows(source: Path) -> list[Row]:
    placement = read_case(source)
    if isinstance(placement, Mistake):
        _stop(placement)
    case = _case_name(source)
    ours = run_planner(placement, case=case)
    if ours.refused:
        _stop(Mistake(f"{source}: our own plan is refused. {ours.refused[0]}"))
    rows = [ours.row]
    for path in sorted(source.parent.glob(f"{case}__*.txt*")):
        theirs = read_plan(path, case=placement)
        if isinstance(theirs, Mistake):
            _stop(theirs)
        refused = judge(placement, theirs)
        if refused:
            _stop(Mistake(f"{path}: the judge refuses this plan. {refused[0]}"))
        tool = path.name.removeprefix(f"{case}__").split(".txt")[0]
        rows.append(Row(case, tool, measure(placement, theirs)))
    return rows


def _verdict(refused: tuple[str, ...]) -> str:
    if not refused:
        return "The judge accepts this plan."
    return "\n".join(["The judge refuses this plan:", *(f"- {words}" for words in refused[:10])])


def _case_name(source: Path) -> str:
    return source.name.split(".json")[0].removeprefix("input_")


def _stop(mistake: Mistake) -> NoReturn:
    click.echo(mistake.words, err=True)
    sys.exit(UNUSABLE)


if __name__ == "__main__":
    main(prog_name="python -m bench")
