"""Whole stories of one cluster, at the level of incidents: what the channel sees, minute by minute.

Scans every 30 s, `for` 60 s, `keep` 5 min unless the row says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from changes.excuses import Effect
from changes.incident import AlertState, Incident, Mute, Severity, acknowledged, muted
from tests.watch.incidents.stage import (
    ANA,
    Findings,
    Stage,
    between,
    finding,
    lease,
    unseen,
)
from watch.incident_settings import IncidentSettings

CRIT = finding(severity=Severity.CRIT)
WARN = finding()


def imbalance(ratio: float) -> Findings:
    """As a rule of hysteresis says it: trigger at 1.25, clear at 1.10."""
    if ratio <= 1.10:
        return ()
    phase = "trigger" if ratio >= 1.25 else "between"
    return (
        finding(
            "cluster",
            rule="imbalance",
            kind="leaders",
            words=f"broker 1 carries {ratio:.2f} × the mean of leaders",
            phase=phase,
            for_seconds=15 * 60,
            keep_seconds=10 * 60,
            measure=ratio,
            measure_words="most leaders over the mean",
        ),
    )


STORIES: dict[str, tuple[Callable[[float], Findings], float, list[tuple[float, str]]]] = {
    "nothing found, nothing said": (lambda _: (), 60, []),
    "3: a consumer killed is told once within three minutes, and not again for an hour": (
        between(2, 62, WARN),
        62,
        [(3, "post")],
    ),
    "6: a deploy of 70 s with `for` 3 min stays unsaid": (
        between(2, 3.5, finding(for_seconds=180)),
        30,
        [],
    ),
    "7: a churn alert is told once and resolved by edit": (
        between(1, 9, finding(rule="consumer_lag", kind="churn", keep_seconds=600)),
        30,
        [(2, "post")],
    ),
    "9: a rewind without a change is told at once": (
        between(5, 12, finding(rule="rewind", kind="rewind", for_seconds=0)),
        30,
        [(5, "post")],
    ),
    "15: imbalance is told after its 15 minutes": (
        lambda minute: imbalance(2.0) if minute >= 1 else (),
        40,
        [(16, "post")],
    ),
    "in between opens nothing": (lambda _: imbalance(1.2), 60, []),
    "one dip into in-between begins the 15 minutes anew": (
        lambda minute: imbalance(1.2) if minute == 10 else imbalance(2.0),
        24,
        [],
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_the_channel_sees(name: str) -> None:
    seen, until, expected = STORIES[name]
    stage = Stage()
    stage.run(until=until, seen=seen)
    assert stage.channel() == expected


def test_3_the_end_edits_the_head_and_adds_one_quiet_line() -> None:
    stage = Stage()
    stage.run(until=40, seen=between(0, 20, WARN))
    assert stage.channel() == [(1, "post")]
    assert stage.the().ended_at == stage.the().opened_at + timedelta(minutes=24)
    assert stage.texts("line") == ["Over after 24 min; at its worst it was a warning."]
    assert [one.state for one in stage.the().alerts] == [AlertState.RESOLVED]


def test_6_what_vanished_unsaid_leaves_one_line_of_history() -> None:
    stage = Stage()
    stage.run(until=10, seen=between(2, 3.5, finding(for_seconds=180)))
    assert [line.text for line in stage.book.past] == [
        "group payments stopped; over after 2 min, before anybody was told"
    ]


def test_9_a_planned_reset_is_a_note_in_the_changes_thread_and_no_page() -> None:
    reset = lease(Effect.RESETS_OFFSETS, groups=("payments",))
    stage = Stage(leases=(reset,))
    rewind = finding(rule="rewind", kind="rewind", for_seconds=0, words="payments fell by 1 M")
    other = finding("group billing", rule="rewind", kind="rewind", for_seconds=0)
    stage.run(until=10, seen=between(1, 8, rewind))
    assert stage.channel() == []
    assert stage.notes == [("R-17", "Held back while this runs: payments fell by 1 M")]
    stage.run(until=12, seen=between(11, 12, other))
    assert stage.channel() == [(11, "post")], "the change names another group"


def test_15_it_fires_on_at_1_12_and_ends_after_ten_minutes_at_1_10() -> None:
    def seen(minute: float) -> Findings:
        return imbalance(2.0 if minute < 30 else 1.12 if minute < 60 else 1.10)

    stage = Stage()
    stage.run(until=59, seen=seen)
    assert [one.state for one in stage.the().alerts] == [AlertState.FIRING]
    assert "1.12" in stage.the().alerts[0].finding.words
    stage.run(until=69.5, seen=seen)
    assert stage.the().ended_at is None
    stage.run(until=71, seen=seen)
    assert stage.the().ended_at is not None
    assert stage.channel() == [(15, "post")]


class TestUnseen:
    """18: a broker is silent for ten minutes."""

    def story(self) -> Stage:
        def seen(minute: float) -> Findings:
            if minute < 5:
                return (CRIT,)
            if minute < 15:
                return (unseen("group payments"),)
            return (CRIT,) if minute < 17 else ()

        stage = Stage(settings=stage_settings(repeat_crit_hours=0.01, escalate=0))
        stage.run(until=5, seen=seen)
        self.said_before = len(stage.texts())
        stage.run(until=14.5, seen=seen)
        return stage

    def test_neither_resolves_nor_repeats_and_says_that_it_is_stale(self) -> None:
        stage = self.story()
        assert len(stage.texts()) == self.said_before
        alert = stage.the().alerts[0]
        assert (alert.state, alert.stale) == (AlertState.FIRING, "broker 2 does not answer")

    def test_is_no_reason_to_open_anything(self) -> None:
        stage = Stage()
        stage.run(until=30, seen=lambda _: (unseen(),))
        assert (stage.told, stage.book.past) == ([], ())

    def test_stands_still_for_what_waits(self) -> None:
        """Pending for 30 s, unseen for ten minutes: 30 s are still missing."""
        stage = Stage()
        stage.run(until=0.5, seen=lambda _: (WARN,))
        stage.run(until=10, seen=lambda _: (unseen(),))
        stage.at(10.5, WARN)
        assert stage.channel() == [(10.5, "post")]
        again = Stage()
        again.at(0, WARN)
        again.run(until=10, seen=lambda _: (unseen(),))
        again.at(10.5, WARN)
        assert again.channel() == []

    def test_a_resolving_alert_does_not_end_unseen(self) -> None:
        stage = Stage()
        stage.run(until=3, seen=between(0, 3, WARN))
        stage.run(until=30, seen=lambda _: (unseen(),))
        assert stage.the().ended_at is None
        stage.run(until=36, seen=lambda _: ())
        assert stage.the().ended_at is not None


def stage_settings(**fields: float) -> IncidentSettings:
    if "escalate" in fields:
        fields["escalate_unacknowledged_minutes"] = fields.pop("escalate")
    return IncidentSettings.model_validate(fields)


class TestMute:
    """21: muted from the message for two hours."""

    def seen(self, minute: float) -> Findings:
        return (WARN,) if minute < 30 or minute >= 60 else ()

    def test_from_the_message_outlives_the_incident_and_ends_with_one_post(self) -> None:
        stage = Stage()
        stage.run(until=2, seen=self.seen)
        two_hours = stage.now + timedelta(hours=2)
        stage.person("I-1", lambda one: muted(one, person=ANA, until=two_hours, now=stage.now))
        stage.run(until=119, seen=self.seen)
        assert stage.channel() == [(1, "post")]
        assert stage.texts() == []
        assert stage.the().ended_at is not None, "resolved in place although muted"
        stage.run(until=140, seen=self.seen)
        assert stage.channel() == [(1, "post"), (122.5, "post")]
        assert stage.the("I-2").remark == "the mute of I-1 ended"

    def test_of_a_message_that_stays_open_ends_aloud(self) -> None:
        stage = Stage()
        stage.run(until=2, seen=lambda _: (WARN,))
        an_hour = stage.now + timedelta(hours=1)
        stage.person("I-1", lambda one: muted(one, person=ANA, until=an_hour, now=stage.now))
        stage.run(until=90, seen=lambda _: (WARN,))
        assert stage.channel() == [(1, "post"), (62.5, "aloud")]
        assert stage.texts("aloud") == [
            "The mute by <@U0ANA> ended, and it still fires: group payments stopped"
        ]

    def test_is_broken_by_something_worse(self) -> None:
        stage = Stage()
        stage.run(until=2, seen=lambda _: (WARN,))
        an_hour = stage.now + timedelta(hours=1)
        stage.person("I-1", lambda one: muted(one, person=ANA, until=an_hour, now=stage.now))
        stage.run(until=40, seen=lambda _: (CRIT,))
        assert stage.channel() == [(1, "post"), (2.5, "aloud")]

    def test_of_an_object_holds_back_that_object_only(self) -> None:
        mute = Mute(
            id="M-3",
            cluster="orders",
            subject="group payments",
            by="U0ANA",
            at=Stage().now,
            until=Stage().now + timedelta(minutes=30),
        )
        stage = Stage(mutes=(mute,))
        stage.run(until=20, seen=lambda _: (WARN, finding("group billing")))
        assert stage.channel() == [(1, "post")]
        assert [one.finding.subject for one in stage.the().firing] == ["group billing"]
        stage.run(until=40, seen=lambda _: (WARN, finding("group billing")))
        assert stage.channel() == [(1, "post"), (30, "aloud")]
        assert stage.texts("aloud") == ["Still so (the mute M-3 ended): group payments stopped"]

    def test_of_an_object_that_ends_meanwhile_says_nothing(self) -> None:
        stage = Stage()
        stage.run(until=2, seen=lambda _: (WARN,))
        until = stage.now + timedelta(hours=5)
        stage.mutes = (
            Mute(id="M-1", cluster="orders", subject="", by="U", at=stage.now, until=until),
        )
        stage.run(until=60, seen=between(0, 10, WARN))
        assert stage.channel() == [(1, "post")]
        assert stage.the().ended_at is not None
        assert stage.texts() == []


class TestEscalation:
    """22: critical, and nobody acknowledges it."""

    def test_calls_once_after_ten_minutes(self) -> None:
        stage = Stage()
        stage.run(until=120, seen=lambda _: (CRIT,))
        assert stage.channel() == [(1, "post"), (11, "aloud")]
        called = [line for line in stage.the().log if line.calls]
        assert [line.text for line in called] == [
            "Nobody has acknowledged this for 10 min (`/kafka ack I-1` does): group payments stopped"
        ]

    def test_is_stopped_by_an_acknowledgement_until_it_gets_worse(self) -> None:
        stage = Stage()
        stage.run(until=5, seen=lambda _: (WARN,))
        stage.person("I-1", lambda one: acknowledged(one, person=ANA, now=stage.now))
        stage.run(until=30, seen=lambda _: (WARN,))
        assert stage.channel() == [(1, "post")]
        stage.run(until=120, seen=lambda _: (CRIT,))
        assert stage.channel() == [(1, "post"), (30.5, "aloud")]
        assert stage.the().log[-1].calls == "on call"

    def test_a_rise_is_aloud_and_begins_the_wait(self) -> None:
        stage = Stage()
        stage.run(until=20, seen=lambda _: (WARN,))
        stage.run(until=60, seen=lambda _: (CRIT,))
        assert stage.channel() == [(1, "post"), (20.5, "aloud"), (30.5, "aloud")]
        assert stage.texts("aloud")[0] == "Now critical: group payments stopped"

    def test_a_fall_and_the_same_rise_again_is_no_news(self) -> None:
        stage = Stage(settings=stage_settings(escalate=0))
        stage.run(until=50, seen=lambda minute: (CRIT,) if int(minute / 5) % 2 else (WARN,))
        assert stage.channel() == [(1, "post"), (5, "aloud")]

    def test_repeats_only_when_asked_to(self) -> None:
        stage = Stage(settings=stage_settings(escalate=0, repeat_crit_hours=1))
        stage.run(until=130, seen=lambda _: (CRIT,))
        assert stage.channel() == [(1, "post"), (61, "aloud"), (121, "aloud")]


def test_24_what_came_and_went_while_slack_was_away_is_in_the_history() -> None:
    """Slack is not asked here: the incident is stored with its beginning and its end."""
    stage = Stage()
    stage.run(until=30, seen=between(1, 10, WARN))
    over = stage.the()
    assert isinstance(over, Incident)
    assert over.ended_at is not None
    assert [one.finding.words for one in over.alerts] == ["group payments stopped"]
