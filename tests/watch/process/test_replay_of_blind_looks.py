"""A recorded look that could not read everything is replayed like any other, and is counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from policies.alerts import Alerts, load_alerts
from tests.watch.process.watching import NAME, Watching, watching
from watch.frames import Skipped, pack, unpack
from watch.incident_settings import IncidentSettings
from watch.replay import Replay, in_words
from watch.runtime import all_rules, settings_of

__all__ = ["watching"]


async def test_what_was_not_read_is_counted_by_its_looks(
    watching: Watching, tmp_path: Path
) -> None:
    """Twice the same words, twice others: a number of looks each, and never the words added up."""
    await watching.looks(watching.process(), 4)
    looks = [unpack(frame) for frame in watching.ledger.frames(NAME)]
    assert looks
    words = iter(("payments: not its coordinator", "payments: not its coordinator", "a", "b"))
    blind = [
        pack(replace(look, blind={"groups": next(words, "c")}))
        for look in looks
        if not isinstance(look, Skipped)
    ]
    rules = all_rules()
    file = tmp_path / "alerts.yaml"
    file.write_text("defaults: {scan_seconds: 10}")
    alerts = load_alerts(
        file, rules=settings_of(rules), incident_settings=IncidentSettings, clusters=[NAME]
    )
    assert isinstance(alerts, Alerts)
    replayed = Replay(cluster=NAME, rules=rules, alerts=alerts.of(NAME)).of(blind)
    assert dict(replayed.unread) == {"groups": len(blind)}
    assert f"Not read in {len(blind)} looks: groups" in in_words(replayed)
