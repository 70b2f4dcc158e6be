"""What a watch does to its own incidents: restarts, pauses, clocks that are set, rules switched off."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from changes.incident import Severity
from tests.watch.incidents.stage import Findings, Stage, finding
from watch.incident_settings import IncidentSettings

WARN = finding()


class TestTheWatchItself:
    def test_goes_on_after_a_restart_where_it_was(self) -> None:
        """The book is read back from JSON in every round; here the first scan is missing too."""
        stage = Stage()
        stage.at(0, finding(for_seconds=120))
        stage.at(2, finding(for_seconds=120))
        assert stage.channel() == [(2, "post")]

    def test_that_was_away_for_an_hour_does_not_count_the_hour(self) -> None:
        stage = Stage()
        stage.at(0, finding(for_seconds=120))
        stage.at(60, finding(for_seconds=120))
        assert stage.channel() == []
        stage.at(62, finding(for_seconds=120))
        assert stage.channel() == [(62, "post")]

    def test_whose_clock_goes_back_waits_no_longer_than_it_has_to(self) -> None:
        stage = Stage()
        stage.at(600, finding(for_seconds=120))
        stage.run(until=2, seen=lambda _: ())  # nothing happens before minute 0
        stage.at(0, finding(for_seconds=120))
        stage.at(2, finding(for_seconds=120))
        assert stage.channel() == [(2, "post")]

    def test_ends_the_alerts_of_a_rule_that_was_switched_off(self) -> None:
        stage = Stage()
        stage.run(until=5, seen=lambda _: (WARN,))
        stage.rules = [one for one in stage.rules if one.name != "consumer_lag"]
        stage.at(5.5, WARN)
        assert stage.the().ended_at is not None

    def test_redraws_figures_less_and_less_often(self) -> None:
        def seen(minute: float) -> Findings:
            return (finding(words=f"group payments is {minute:.1f} min behind"),)

        stage = Stage()
        stage.run(until=180, seen=seen)
        assert stage.calls(2, 12) <= 10
        assert stage.calls(120, 180) <= 13


class TestAClockThatIsSet:
    LATE: ClassVar[dict[str, Any]] = {"rule": "under_replicated", "for_seconds": 300}

    def test_forward_does_not_let_time_pass(self) -> None:
        stage = Stage()
        stage.at(0, finding(**self.LATE))
        stage.clock_set_by = timedelta(minutes=5)
        stage.at(5.5, finding(**self.LATE))
        assert stage.channel() == []
        stage.minute = 6
        stage.run(until=12, seen=lambda _: (finding(**self.LATE),))
        assert stage.channel() == [(10, "post")], "five minutes of its own"

    def test_back_leaves_nothing_that_is_news_only_in_an_hour(self) -> None:
        stage = Stage()
        stage.minute = 200
        stage.run(until=210, seen=lambda _: (WARN,))
        offline = finding("cluster", severity=Severity.CRIT, kind="offline", for_seconds=0)
        stage.minute = 80
        stage.run(until=88, seen=lambda _: (WARN, offline))
        assert [what for _, what in stage.channel()] == ["post", "aloud"]
        assert stage.texts("aloud") == ["Now critical: cluster stopped; group payments stopped"]
        assert any(one.finding.kind == "offline" for one in stage.the().firing)

    def test_never_makes_waiting_endless(self) -> None:
        """Looks further apart than a pause: each of them was away for longer than it may be."""
        settings = IncidentSettings(pause_minutes=1)
        stage = Stage(settings=settings, scan_seconds=120)
        stage.run(until=20, seen=lambda _: (finding(**self.LATE),))
        assert stage.channel() == [(6, "post")]
