"""`make soak`: a healthy, busy lab must be quiet. Not one message, however long one listens.

The lab's own short times are stricter than production's: what would be told after five minutes there is
told after seconds here. At the end the record is replayed with the settings that are shipped.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import click
import psutil

from ledger import Ledger, connect
from tests.scenarios.labs import Lab, running_lab

CLUSTER = "orders-lab"
POLL_SECONDS = 5.0
SETTLE_SECONDS = 30.0
SHIPPED = Path(__file__).parents[2] / "policies" / "alerts.yaml"


class Noise(Exception):
    """The lab was not quiet, or nobody was looking; the sentence says what happened."""


@click.command()
@click.option("--minutes", default=30.0, show_default=True, help="How long to listen.")
def main(minutes: float) -> None:
    """Listen to a healthy, busy lab; exit 1 at the first message."""
    with tempfile.TemporaryDirectory() as folder, running_lab(Path(folder)) as lab:
        ledger = connect(str(lab.addresses["redis"]))
        try:
            listen(lab, ledger, seconds=minutes * 60)
        except Noise as noise:
            sys.exit(f"not quiet: {noise}")
        finally:
            ledger.close()


def listen(lab: Lab, ledger: Ledger, *, seconds: float) -> None:
    time.sleep(SETTLE_SECONDS)
    watch = psutil.Process(int(lab.reload()["pids"]["watch"]))
    before, began = watch.cpu_times(), time.monotonic()
    shown = {str(message["ts"]) for message in lab.messages()}
    looks: set[object] = set()
    while (elapsed := time.monotonic() - began) < seconds:
        time.sleep(min(POLL_SECONDS, max(0.1, seconds - elapsed)))
        looks.add(quiet_look(lab, ledger, shown))
    after, elapsed = watch.cpu_times(), time.monotonic() - began
    cpu = (after.user + after.system - before.user - before.system) / elapsed
    load = json.loads(lab.run("lab", "load", "status", "--json"))
    replayed_quietly(lab)
    click.echo(
        f"{elapsed / 60:.1f} quiet minutes: 0 messages, {len(looks)} looks seen; "
        f"{load['totals']['acknowledged']:,} records written, {load['totals']['missing']} on their way; "
        f"the watch took {cpu:.2%} of one core and {watch.memory_info().rss / 2**20:.0f} MB"
    )


def quiet_look(lab: Lab, ledger: Ledger, shown: set[str]) -> object:
    """Nothing new in the channel, no incident, somebody looked lately; the moment of that look."""
    new = [one for one in lab.messages() if str(one["ts"]) not in shown]
    if new:
        raise Noise(f"the channel says: {new[0]['text']}")
    incidents = ledger.incidents(CLUSTER)
    if incidents:
        raise Noise("; ".join(one.finding.words for one in incidents[0].alerts))
    view = ledger.view(CLUSTER)
    if view is None or time.time() - view.at.timestamp() > 4 * view.scan_seconds:
        raise Noise(f"nobody looks: the newest look is from {view.at if view else 'never'}")
    return view.at


def replayed_quietly(lab: Lab) -> None:
    """The same record under the settings that are shipped."""
    said = lab.run(
        *("watch", "replay", "--cluster", CLUSTER, "--alerts", str(SHIPPED)),
        *("--since", "24h", "--json"),
    )
    told = json.loads(said)["told"]
    if told:
        raise Noise(f"with the shipped settings: {told[0]['text']}")


if __name__ == "__main__":
    main()
