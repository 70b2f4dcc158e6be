"""`python -m bench plan | compare`: the planner measured on cases in the frozen format."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import NoReturn

import click

from bench.case import Mistake, read_case, read_plan, write_plan
from bench.planning import run_planner
from bench.table import Row, table
from changes.placement.judge import judge
from changes.placement.measure import measure

CASES = Path(__file__).parent / "cases"
UNUSABLE = 2  # the exit status of a file that cannot be used, as click has it for bad options
REFUSED = 1  # the judge found something


@click.group()
def main() -> None:
    """Measure plans for moving replicas: bytes, balance, spread, time and memory."""


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
