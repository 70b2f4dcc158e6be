"""Storms, flapping, alerts of one cause, names that lie: the channel stays readable."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from changes.book import PAST_MAX
from changes.incident import Alert, AlertState, Family, Severity
from tests.watch.incidents.stage import START, Findings, Stage, between, finding, unseen
from watch import alert_rounds
from watch.incident_settings import IncidentSettings
from watch.inhibition import INHIBITIONS, inhibitor, sources
from watch.shown import DETAIL_MAX
from watch.telling_round import ALOUD_LINES_MAX, LINES_MAX

WARN = finding()


def many(count: int, **fields: object) -> Findings:
    return tuple(finding(f"group g{number}", **fields) for number in range(count))


@pytest.mark.slow
class TestStorm:
    def test_of_5000_is_one_message_with_a_count_and_few_calls(self) -> None:
        storm = many(5000)
        stage = Stage(scan_seconds=60)
        stage.run(until=3, seen=lambda _: storm)
        assert stage.channel() == [(1, "post")]
        one = stage.the()
        assert (len(one.alerts), one.more) == (DETAIL_MAX, 5000 - DETAIL_MAX)
        assert len(one.model_dump_json()) < 150_000
        for minute in (1, 2):
            assert stage.calls(minute, minute + 1) <= 3

    def test_that_grows_says_how_much_in_one_line(self) -> None:
        stage = Stage()
        stage.run(until=3, seen=lambda _: many(30))
        stage.run(until=6, seen=lambda _: many(1300))
        assert stage.texts("line")[-1].endswith("and 1,265 more")
        assert len(stage.texts("line")) == 1

    def test_that_ends_is_over_in_place(self) -> None:
        stage = Stage()
        stage.run(until=5, seen=lambda _: many(300))
        stage.run(until=15, seen=lambda _: ())
        assert stage.channel() == [(1, "post")]
        assert stage.the().ended_at is not None
        assert stage.the().more == 0

    def test_beyond_what_is_followed_is_counted_worst_first(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(alert_rounds, "ALERTS_MAX", 1000)
        worst = many(1, severity=Severity.CRIT, kind="worst")
        stage = Stage()
        for minute in (0, 0.5, 1):
            stage.at(minute, *many(1500), *worst)
        assert len(stage.book.alerts) == 1000
        assert stage.book.left_out == 501
        assert stage.the().severity is Severity.CRIT
        assert stage.the().more == 1000 - DETAIL_MAX + 501

    @pytest.mark.parametrize("filling", [Severity.INFO, Severity.WARN])
    def test_that_fills_the_book_does_not_keep_out_something_worse(
        self, monkeypatch: pytest.MonkeyPatch, filling: Severity
    ) -> None:
        monkeypatch.setattr(alert_rounds, "ALERTS_MAX", 1000)
        offline = finding("cluster", rule="data_loss", severity=Severity.CRIT, for_seconds=0)
        crowd = many(1200, severity=filling)
        stage = Stage()
        stage.run(until=5, seen=lambda _: crowd)
        stage.run(until=8, seen=lambda _: (*crowd, offline))
        assert (stage.minute, stage.book.left_out) == (8.5, 201)
        assert len(stage.book.alerts) == 1000
        assert [one.family for one in stage.kept.values() if one.severity is Severity.CRIT] == [
            Family.DATA
        ]

    def test_that_is_over_does_not_keep_out_what_comes_next(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is over is remembered for two hours, unless the room is needed."""
        monkeypatch.setattr(alert_rounds, "ALERTS_MAX", 1000)
        stage = Stage()
        stage.run(until=5, seen=lambda _: many(1000))
        stage.run(until=20, seen=lambda _: ())
        assert stage.the().ended_at is not None
        stage.run(until=25, seen=lambda _: (finding("broker 2", rule="broker_away"),))
        assert [one.family for one in stage.kept.values() if one.ended_at is None] == [
            Family.CLUSTER
        ]

    def test_keeps_a_thread_within_bounds_however_long_it_lasts(self) -> None:
        """Another object every minute for days."""
        stage = Stage(settings=IncidentSettings(newcomer_aloud_minutes=1), scan_seconds=60)

        def seen(minute: float) -> Findings:
            now = int(minute)
            names = [f"group g{one}" for one in range(now, now + 3)]
            return tuple(finding(one, for_seconds=0, keep_seconds=0) for one in names)

        stage.run(until=150, seen=seen)
        log = stage.the().log
        assert len(log) <= ALOUD_LINES_MAX
        quiet = [line for line in log if not line.aloud]
        assert len(quiet) <= LINES_MAX
        assert len(stage.book.past) <= PAST_MAX


class TestNewcomers:
    def test_are_drawn_and_said_in_one_quiet_line(self) -> None:
        stage = Stage()
        stage.run(until=5, seen=lambda _: (WARN,))
        stage.run(until=10, seen=lambda _: (WARN, finding("group a"), finding("group b")))
        assert stage.channel() == [(1, "post")]
        assert stage.texts("line") == ["Also: group a stopped; group b stopped"]

    def test_are_said_aloud_when_nothing_was_heard_for_an_hour(self) -> None:
        stage = Stage()
        stage.run(until=90, seen=lambda _: (WARN,))
        stage.run(until=100, seen=lambda _: (WARN, finding("group a")))
        assert stage.channel() == [(1, "post"), (91.5, "aloud")]
        assert stage.texts("aloud") == ["Also: group a stopped"]

    def test_of_another_family_have_their_own_message(self) -> None:
        stage = Stage()
        stage.run(until=5, seen=lambda _: (WARN, finding("cluster", rule="imbalance")))
        assert {one.family for one in stage.kept.values()} == {Family.CONSUMERS, Family.BALANCE}

    def test_that_go_while_others_stay_are_said_to_be_over(self) -> None:
        stage = Stage()
        stage.run(until=5, seen=lambda _: (WARN, finding("group a")))
        stage.run(until=15, seen=lambda _: (WARN,))
        assert stage.texts("line") == ["Over: group a"]
        assert stage.the().ended_at is None


class TestKinds:
    def test_follow_each_other_within_one_alert(self) -> None:
        """Stopped becomes stalled: the same trouble, not an end and a beginning."""
        stage = Stage()
        stage.run(until=10, seen=between(0, 5, WARN))
        stage = Stage()
        stage.run(until=5, seen=lambda _: (WARN,))
        stalled = finding(kind="stalled", words="group payments stalled: member c-1")
        stage.run(until=10, seen=lambda _: (stalled,))
        assert [one.finding.kind for one in stage.the().alerts] == ["stalled"]
        assert stage.the().alerts[0].fired_at == stage.the().opened_at
        assert stage.channel() == [(1, "post")]
        assert stage.texts() == ["Now: group payments stalled: member c-1"]

    def test_worse_than_the_last_are_said_aloud(self) -> None:
        stage = Stage()
        stage.run(until=5, seen=lambda _: (finding(rule="data_loss", kind="at risk"),))
        lost = finding(rule="data_loss", kind="lost", severity=Severity.CRIT, words="lost 40,000")
        stage.run(until=6, seen=lambda _: (lost,))
        assert stage.channel() == [(1, "post"), (5.5, "aloud")]
        assert stage.texts("aloud")[0].startswith("Now critical: group payments: lost 40,000")

    def test_at_the_same_time_are_two_alerts(self) -> None:
        stage = Stage()
        both = (WARN, finding(kind="churn", words="group payments rebalances"))
        stage.run(until=5, seen=lambda _: both)
        assert len(stage.the().firing) == 2

    def test_in_between_without_a_kind_keeps_whatever_fires(self) -> None:
        """Catching up: the alert stays, whichever it was, and nothing opens."""
        catching_up = finding(kind="", phase="between", words="payments catches up, 4 min left")
        stage = Stage()
        stage.run(until=5, seen=lambda _: (WARN,))
        stage.run(until=30, seen=lambda _: (catching_up,))
        assert [one.state for one in stage.the().alerts] == [AlertState.FIRING]
        assert stage.the().alerts[0].finding.words == "payments catches up, 4 min left"
        assert stage.the().alerts[0].finding.kind == "stopped"
        assert stage.channel() == [(1, "post")]


class TestFlapping:
    def seen(self, minute: float) -> Findings:
        """Bad for two minutes in eight, for an hour and a half; keep is 5 minutes."""
        return (WARN,) if minute < 90 and minute % 8 < 2 else ()

    def test_is_said_once_and_then_only_drawn_until_half_an_hour_of_quiet(self) -> None:
        stage = Stage()
        stage.run(until=89, seen=self.seen)
        posts = [one for one in stage.channel() if one[1] == "post"]
        said = [one for one in stage.told if one.text.startswith("Flapping")]
        assert len(posts) <= 3
        assert len(said) == 1
        assert [one for one in stage.told if one.minute > said[0].minute and one.text] == []
        assert stage.the(said[0].incident).flapping
        assert stage.the(said[0].incident).ended_at is None
        stage.run(until=150, seen=self.seen)
        last = stage.the(said[0].incident)
        assert not last.flapping
        assert last.ended_at is not None
        assert last.ended_at >= START + timedelta(minutes=88 + 30)
        assert len([one for one in stage.channel() if one[1] == "post"]) == len(posts)

    def test_does_not_swallow_something_worse(self) -> None:
        stage = Stage()
        stage.run(until=60, seen=self.seen)
        before = len(stage.channel())
        stage.run(until=66, seen=lambda _: (finding(severity=Severity.CRIT),))
        assert [what for _, what in stage.channel()[before:]] == ["aloud"]

    def test_is_not_what_is_bad_twice_an_hour(self) -> None:
        stage = Stage()
        stage.run(until=240, seen=lambda minute: (WARN,) if minute % 40 < 3 else ())
        assert not any(one.text.startswith("Flapping") for one in stage.told)


def alert(rule: str, subject: str, *, began: float = 10, **fields: object) -> Alert:
    told = finding(subject, rule="under_replicated").with_(rule=rule, **fields)
    at = START + timedelta(minutes=began)
    return Alert(state=AlertState.FIRING, finding=told, since=at, began_at=at)


AWAY = alert("broker_away", "broker 2", kind="broker_away", broker_ids=(2,))


class TestOneCause:
    @pytest.mark.parametrize(
        ("target", "held"),
        [
            (alert("under_replicated", "broker 2", broker_ids=(2,)), True),
            (alert("under_replicated", "broker 3", broker_ids=(3,)), False),
            (alert("consumer_lag", "group payments"), True),
            (alert("consumer_lag", "group payments", began=9), True),
            (alert("consumer_lag", "group payments", began=5), False),
            (alert("consumer_lag", "group payments", never_excused=True), False),
            (alert("data_loss", "group payments"), False),
            (alert("offline_partitions", "cluster"), False),
            (AWAY, False),
        ],
    )
    def test_a_broker_away_explains_what_began_with_it(self, target: Alert, held: bool) -> None:
        assert (inhibitor(target, [AWAY]) is not None) is held

    def test_a_new_broker_that_is_away_holds_nothing_and_explains_nothing(self) -> None:
        new = alert("broker_away", "new brokers", kind="new broker away")
        assert inhibitor(alert("under_replicated", "broker 2", broker_ids=(2,)), [new]) is None

    @pytest.mark.parametrize(
        ("fields", "counts"),
        [
            ({"state": AlertState.PENDING}, True),
            ({"state": AlertState.PENDING, "stale": "MSK does not answer"}, False),
            ({"held_by": "mute M-3"}, False),
            ({"held_by": "R-17"}, False),
            ({"held_by": "mute M-3", "fired_at": START}, True),
            ({"stale": "MSK does not answer", "fired_at": START}, True),
            ({"state": AlertState.RESOLVED, "fired_at": START}, False),
        ],
    )
    def test_a_cause_counts_as_long_as_people_know_of_it_or_soon_will(
        self, fields: dict[str, Any], counts: bool
    ) -> None:
        assert bool(sources([AWAY.with_(**fields)])) is counts

    def test_a_cause_that_cannot_be_seen_hides_nothing(self) -> None:
        """MSK said HEALING in one look, and its API has been unreadable since."""
        healing = finding("cluster", rule="broker_away", kind="broker_away", for_seconds=300)
        behind = finding("broker 2", rule="under_replicated", words="900 partitions")
        stage = Stage()
        stage.at(0, healing)
        stage.minute = 0.5
        stage.run(until=30, seen=lambda _: (unseen(rule="broker_away"), behind))
        assert [what for _, what in stage.channel()] == ["post"]
        assert stage.the().firing[0].finding.words == "900 partitions"

    def test_no_row_of_the_table_holds_itself_back(self) -> None:
        for row in INHIBITIONS:
            assert row.source not in row.targets

    def test_what_it_explained_is_told_when_the_cause_is_over(self) -> None:
        away = finding("broker 2", rule="broker_away", kind="broker_away", broker_ids=(2,))
        behind = finding("broker 2", rule="under_replicated", broker_ids=(2,), words="behind")
        stage = Stage()
        stage.run(until=10, seen=lambda _: (away, behind))
        assert [one.finding.rule for one in stage.the().firing] == ["broker_away"]
        stage.run(until=30, seen=lambda _: (behind,))
        assert stage.channel() == [(1, "post"), (15.5, "aloud")]
        assert stage.texts("aloud") == [
            "Still so (was held back while broker 2 explained it): broker 2: behind"
        ]


class TestInformation:
    INFO = finding("group old", kind="abandoned", severity=Severity.INFO)

    def test_is_posted_once_and_calls_nobody(self) -> None:
        stage = Stage()
        stage.run(until=300, seen=lambda _: (self.INFO,))
        assert stage.channel() == [(1, "post")]
        assert stage.texts() == []

    def test_does_not_keep_a_warning_open(self) -> None:
        """Else the next warning would be a quiet line in a message of last week."""
        stage = Stage()
        stage.run(until=10, seen=lambda _: (self.INFO, WARN))
        stage.run(until=30, seen=lambda _: (self.INFO,))
        assert stage.the().ended_at is not None
        stage.run(until=40, seen=lambda _: (self.INFO, WARN))
        assert [one for one in stage.channel() if one[1] == "post"] == [(1, "post"), (31.5, "post")]

    def test_that_outlives_what_was_critical_does_not_make_it_harmless(self) -> None:
        stage = Stage()
        stage.run(until=10, seen=lambda _: (self.INFO, finding(severity=Severity.CRIT)))
        stage.run(until=30, seen=lambda _: (self.INFO,))
        assert stage.the().ended_at is not None
        assert stage.the().severity is Severity.CRIT

    def test_may_be_kept_out_of_the_channel(self) -> None:
        stage = Stage(settings=IncidentSettings(post_infos=False))
        stage.run(until=30, seen=lambda _: (self.INFO,))
        assert stage.told == []


class TestOneOff:
    def test_the_third_of_a_kind_brings_a_hint(self) -> None:
        stage = Stage()
        for number, minute in enumerate((0, 60, 120, 180)):
            one = finding(f"group console-consumer-{48_000 + number}")
            stage.run(until=minute + 5, seen=lambda _, one=one: (one,))  # type: ignore[misc]
            stage.run(until=minute + 59, seen=lambda _: ())
        hints = [text for text in stage.texts("line") if text.startswith("The third")]
        assert hints == [
            "The third of its kind: `console-consumer-*`. What nobody wants to hear of belongs "
            "under `groups: exclude:` in `alerts.yaml`."
        ]


class TestNames:
    """26, at this level: names call nobody, and no name is too long."""

    def test_call_nobody_in_a_thread(self) -> None:
        stage = Stage()
        stage.run(until=5, seen=lambda _: (WARN,))
        evil = finding("group <@U123> <!channel>", words="group <@U123> <!channel> stopped")
        stage.run(until=10, seen=lambda _: (WARN, evil))
        assert stage.texts("line") == ["Also: group ‹@U123› ‹!channel› stopped"]

    def test_of_any_length_are_one_alert_each(self) -> None:
        long = "group " + "x" * 30_000
        stage = Stage()
        stage.run(until=5, seen=lambda _: (finding(long + "a"), finding(long + "b")))
        assert len(stage.the().alerts) == 2
        assert len(stage.the().model_dump_json()) < 6_000
        stage.run(until=15, seen=lambda _: (unseen(long + "a"), unseen(long + "b")))
        assert stage.the().ended_at is None
