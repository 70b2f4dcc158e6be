"""What no mute, no acknowledgement, no flapping and no long life of a message may hide."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from changes.excuses import Effect
from changes.incident import (
    Family,
    Finding,
    Incident,
    Mute,
    Severity,
    acknowledged,
    muted,
    unmuted,
)
from changes.request import Refusal
from tests.watch.incidents.stage import ANA, Findings, Stage, finding, lease
from watch import telling_round

WARN = finding()
CRIT: dict[str, Any] = {"severity": Severity.CRIT}
GRAVE: dict[str, Any] = {"severity": Severity.CRIT, "never_excused": True, "for_seconds": 0}
LOST = finding("group a", rule="data_loss", kind="lost", words="group a lost 40,000", **GRAVE)
OFFLINE = finding("cluster", rule="data_loss", kind="offline", words="12 are offline", **GRAVE)
DISK = finding("broker 2", rule="imbalance", words="disk of broker 2 is 96 % full", **GRAVE).with_(
    family=Family.CAPACITY
)


def mute(subject: str = "") -> Mute:
    at = Stage().now
    until = at + timedelta(days=7)
    return Mute(id="M-1", cluster="orders", subject=subject, by="U", at=at, until=until)


def muted_now(stage: Stage, incident: str = "I-1", *, hours: float = 24) -> None:
    until = stage.now + timedelta(hours=hours)
    stage.person(incident, lambda one: muted(one, person=ANA, until=until, now=stage.now))


def posts(stage: Stage) -> list[float]:
    return [minute for minute, what in stage.channel() if what == "post"]


def called(stage: Stage, incident: str = "I-1") -> list[str]:
    return [line.text for line in stage.the(incident).log if line.calls]


class TestAMute:
    @pytest.mark.parametrize("grave", [LOST, OFFLINE, DISK])
    @pytest.mark.parametrize("everything", [True, False])
    def test_of_everything_or_of_the_object_hides_nothing_grave(
        self, grave: Finding, everything: bool
    ) -> None:
        stage = Stage(mutes=(mute("" if everything else grave.subject),))
        stage.run(until=5, seen=lambda _: (WARN.with_(subject=grave.subject), grave))
        assert stage.channel() == [(0, "post")]
        assert [one.finding.words for one in stage.the().firing] == [grave.words]
        assert stage.the().remark == ""

    def test_of_a_group_is_broken_by_the_loss_of_its_records(self) -> None:
        stage = Stage(mutes=(mute("group a"),))
        risk = LOST.with_(kind="at risk", severity=Severity.WARN, never_excused=False)
        stage.run(until=5, seen=lambda _: (risk,))
        assert stage.channel() == []
        stage.run(until=6, seen=lambda _: (LOST,))
        assert stage.channel() == [(5.5, "post")]
        assert stage.the().remark == "", "the mute has not ended"

    def test_of_a_message_that_is_over_hides_only_what_it_was_about(self) -> None:
        stage = Stage()
        stage.run(until=2, seen=lambda _: (LOST,))
        muted_now(stage)
        stage.run(until=20, seen=lambda _: ())
        stage.run(until=40, seen=lambda _: (LOST,))
        assert posts(stage) == [0], "whoever muted knew of this one"
        stage.run(until=60, seen=lambda _: (OFFLINE,))
        assert posts(stage) == [0, 40.5]

    def test_of_an_open_message_does_not_hide_another_grave_thing(self) -> None:
        stage = Stage()
        stage.run(until=2, seen=lambda _: (LOST,))
        muted_now(stage)
        stage.run(until=60, seen=lambda _: (LOST, OFFLINE))
        assert stage.channel() == [(0, "post"), (5, "aloud")]
        assert called(stage) == ["Also critical: 12 are offline"]

    def test_of_a_message_holds_on_when_something_worse_opens_another(self) -> None:
        """Else everything muted would be told with it, as if the mute had ended."""
        stage = Stage()
        stage.run(until=2, seen=lambda _: (WARN,))
        muted_now(stage)
        stage.run(until=20, seen=lambda _: ())
        stage.run(until=40, seen=lambda _: (WARN, finding("group x", **CRIT)))
        assert not any("Still so" in text for text in stage.texts())
        assert [one.finding.subject for one in stage.the("I-2").firing] == ["group x"]

    def test_that_outlives_its_message_can_be_ended_by_a_person(self) -> None:
        stage = Stage()
        stage.run(until=2, seen=lambda _: (WARN,))
        muted_now(stage)
        stage.run(until=20, seen=lambda _: ())
        assert stage.the().ended_at is not None
        stage.run(until=30, seen=lambda _: (WARN,))
        assert posts(stage) == [1]
        stage.person("I-1", lambda one: unmuted(one, person=ANA, now=stage.now))
        stage.run(until=35, seen=lambda _: (WARN,))
        assert posts(stage) == [1, 30.5]
        again = unmuted(stage.the("I-1"), person=ANA, now=stage.now)
        assert again == Refusal(words="I-1 is over: there is nothing to unmute.")

    def test_of_a_group_with_a_very_long_name_mutes_it(self) -> None:
        long = "group " + "x" * 400
        stage = Stage(mutes=(mute(long),))
        stage.run(until=10, seen=lambda _: (finding(long),))
        assert stage.told == []

    def test_does_not_keep_on_call_from_what_turns_critical(self) -> None:
        """The escalation leaves out a muted message, so the line that says it calls."""
        stage = Stage()
        stage.run(until=2, seen=lambda _: (WARN,))
        muted_now(stage)
        stage.run(until=60, seen=lambda _: (WARN.with_(**CRIT),))
        assert called(stage) == ["Now critical: group payments stopped"]

    def test_of_a_message_hides_no_more_than_it_was_muted_at(self) -> None:
        """It rose to critical while it was muted: that is not what the person muted."""
        stage = Stage()
        stage.run(until=2, seen=lambda _: (WARN,))
        muted_now(stage)
        stage.run(until=30, seen=lambda _: (WARN.with_(**CRIT),))
        stage.run(until=60, seen=lambda _: ())
        assert stage.the().ended_at is not None
        stage.run(until=100, seen=lambda _: (finding("group b", **CRIT),))
        assert posts(stage) == [1, 61.5]


def test_what_a_change_excused_until_it_got_too_serious_is_not_called_over() -> None:
    change = lease(Effect.MOVES_REPLICAS)
    stage = Stage(leases=(change,))
    uneven = finding("cluster", rule="imbalance")
    stage.run(until=5, seen=lambda _: (uneven,))
    assert stage.channel() == []
    stage.run(until=10, seen=lambda _: (uneven.with_(never_excused=True, **CRIT),))
    assert stage.channel() == [(5.5, "post")]
    assert stage.the().remark == "", "R-17 still runs"


class TestALongLife:
    """An incident that is open for days, since something small never ends."""

    def lasting(self, *more: Finding) -> Findings:
        return (WARN, *more)

    def test_calls_again_for_what_is_critical_hours_after_it_was_acknowledged(self) -> None:
        stage = Stage()
        stage.run(until=2, seen=lambda _: self.lasting(finding("group x", **CRIT)))
        stage.person("I-1", lambda one: acknowledged(one, person=ANA, now=stage.now))
        stage.run(until=150, seen=lambda _: self.lasting())
        stage.run(until=180, seen=lambda _: self.lasting(finding("group y", **CRIT)))
        assert stage.channel() == [(1, "post"), (151.5, "aloud")]
        assert called(stage) == ["Also critical: group y stopped"]

    def test_calls_again_for_what_is_critical_hours_after_nobody_acknowledged(self) -> None:
        stage = Stage(scan_seconds=60)
        stage.run(until=30, seen=lambda _: self.lasting(finding("group x", **CRIT)))
        stage.run(until=400, seen=lambda _: self.lasting())
        stage.run(until=430, seen=lambda _: (WARN.with_(**CRIT),))
        assert called(stage) == [
            "Nobody has acknowledged this for 10 min (`/kafka ack I-1` does): "
            "group x stopped; group payments stopped",
            "Also critical: group payments stopped",
        ]

    def test_waits_anew_for_somebody_to_acknowledge_what_is_critical_anew(self) -> None:
        stage = Stage(scan_seconds=60)
        stage.run(until=5, seen=lambda _: self.lasting(finding("group x", **CRIT)))
        stage.run(until=100, seen=lambda _: self.lasting())
        stage.run(until=130, seen=lambda _: self.lasting(finding("group y", **CRIT)))
        assert stage.channel() == [(1, "post"), (102, "aloud"), (112, "aloud")]
        assert called(stage) == [
            "Nobody has acknowledged this for 10 min (`/kafka ack I-1` does): "
            "group y stopped; group payments stopped"
        ]

    @pytest.mark.parametrize("acked", [True, False])
    def test_says_soon_what_is_critical_for_the_first_time(self, acked: bool) -> None:
        """Known as a warning before the last critical line: it did not merely get worse *again*."""
        stage = Stage(scan_seconds=60)
        first = finding("group x", **CRIT)
        stage.run(until=5, seen=lambda _: self.lasting(first))
        if acked:
            stage.person("I-1", lambda one: acknowledged(one, person=ANA, now=stage.now))
        stage.run(until=60, seen=lambda _: self.lasting(first))
        stage.run(until=90, seen=lambda _: (WARN.with_(**CRIT), first))
        texts = [one.text for one in stage.told if one.what == "aloud" and 60 < one.minute < 70]
        assert texts == ["Also critical: group payments stopped"]

    def test_does_not_call_all_night_for_a_figure_that_swings_around_its_limit(self) -> None:
        stage = Stage(scan_seconds=150)
        stage.run(until=5, seen=lambda _: (WARN.with_(**CRIT),))
        stage.person("I-1", lambda one: acknowledged(one, person=ANA, now=stage.now))
        swinging = (WARN.with_(**CRIT), WARN)
        stage.run(until=12 * 60, seen=lambda minute: (swinging[int(minute // 10) % 2],))
        assert len(stage.channel()) <= 1 + 2

    def test_says_what_is_critical_also_in_a_thread_that_is_full(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(telling_round, "ALOUD_LINES_MAX", 10)
        stage = Stage(scan_seconds=300)

        def restless(minute: float) -> Findings:
            return self.lasting(finding(f"group n{int(minute // 70)}"))

        stage.run(until=60 * 10, seen=restless)
        assert len(stage.the().log) == 10
        before = len(stage.channel())
        stage.run(until=stage.minute + 60, seen=lambda _: (WARN, finding("group z", **CRIT)))
        assert [what for _, what in stage.channel()[before:]] == ["aloud", "aloud"]
        assert called(stage)[-1].startswith(
            "Nobody has acknowledged this for 10 min (`/kafka ack I-1` does): group z"
        )

    def test_with_something_else_critical_every_ten_minutes_is_an_hourly_line_at_last(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(telling_round, "ALOUD_LINES_MAX", 10)
        stage = Stage(scan_seconds=150)

        def restless(minute: float) -> Findings:
            return self.lasting(finding(f"group n{int(minute // 10)}", **CRIT))

        stage.run(until=60 * 12, seen=restless)
        assert len(stage.the().log) <= 10 + 12
        last = [line for line in stage.the().log if line.aloud][-5:]
        assert last[-1].at - last[0].at >= timedelta(hours=4)


class TestACascade:
    def test_of_critical_things_is_a_line_every_five_minutes_and_still_calls(self) -> None:
        def seen(minute: float) -> Findings:
            return tuple(finding(f"group c{one}", **CRIT) for one in range(int(minute) + 1))

        stage = Stage()
        stage.run(until=60, seen=seen)
        aloud = [minute for minute, what in stage.channel() if what == "aloud"]
        assert len(aloud) <= 60 / 5 + 1
        assert called(stage)[0].startswith(
            "Nobody has acknowledged this for 10 min (`/kafka ack I-1` does): group c0"
        )
        named = " ".join(stage.texts("aloud"))
        assert all(f"group c{one} " in f"{named} " for one in range(1, 50))

    @pytest.mark.parametrize("better", [None, finding("group b", phase="between", **CRIT)])
    def test_does_not_call_for_what_is_getting_better(self, better: Finding | None) -> None:
        """Gone, or catching up: by the time there would be a line, nobody has to hurry."""
        first = finding("group a", **CRIT)
        stage = Stage()
        stage.run(until=2, seen=lambda _: (first,))
        stage.run(until=4, seen=lambda _: (first, finding("group b", **CRIT)))
        stage.run(until=10, seen=lambda _: (first, *([better] if better else [])))
        assert stage.channel() == [(1, "post")]


class TestFlapping:
    def flapping(self, minute: float, **more: Any) -> Findings:
        return (WARN.with_(**more),) if minute % 8 < 2 else ()

    def test_of_one_group_does_not_hide_another(self) -> None:
        stage = Stage()
        stage.run(until=60, seen=self.flapping)
        before = len(stage.told)
        stage.run(until=200, seen=lambda m: (*self.flapping(m), finding("group other")))
        said = [one.text for one in stage.told[before:] if one.text]
        assert said == ["Also: group other stopped"]

    def test_of_a_critical_group_does_not_hide_another_critical_one(self) -> None:
        stage = Stage()
        stage.run(until=60, seen=lambda m: self.flapping(m, **CRIT))
        before = len(stage.told)
        other = finding("group other", **CRIT)
        stage.run(until=200, seen=lambda m: (*self.flapping(m, **CRIT), other))
        said = [(one.what, one.text) for one in stage.told[before:] if one.text]
        assert said == [("aloud", "Also critical: group other stopped")]


def test_a_stranger_ends_no_mute_that_outlived_its_message() -> None:
    stage = Stage()
    stage.run(until=2, seen=lambda _: (WARN,))
    muted_now(stage)
    stage.run(until=20, seen=lambda _: ())
    guest = ANA.with_(standing="guests cannot act on clusters")
    found = unmuted(stage.the(), person=guest, now=stage.now)
    assert not isinstance(found, Incident)
    assert "guests cannot act" in found.words
