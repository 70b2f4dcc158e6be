"""Running changes: what they hold back, what not, and what is said after them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from changes.excuses import ChangeLease, Effect
from changes.incident import Finding, Severity, proposed
from tests.watch.incidents.stage import ANA, START, Findings, Stage, finding, lease
from watch.excuses import explains

MOVES = lease(Effect.MOVES_REPLICAS, Effect.MOVES_LEADERS, broker_ids=(1, 2, 3, 4, 5, 6))


def behind(*brokers: int, words: str = "") -> Findings:
    """Under-replicated partitions by the broker that lacks them."""
    return tuple(
        finding(
            f"broker {one}",
            rule="under_replicated",
            kind="under_replicated",
            words=words or f"3 partitions without a copy on broker {one}",
            broker_ids=(one,),
        )
        for one in brokers
    )


def ended(one: ChangeLease, minute: float) -> ChangeLease:
    return one.with_(ended_at=START + timedelta(minutes=minute))


class TestHeldBack:
    def test_is_what_the_plan_explains_noted_once_and_summed_up(self) -> None:
        stage = Stage(leases=(MOVES,))
        stage.run(until=20, seen=lambda _: behind(4, 5, 6))
        stage.run(until=30, seen=lambda _: ())
        stage.leases = (ended(MOVES, 30.5),)
        stage.run(until=45, seen=lambda _: ())
        assert stage.channel() == []
        assert stage.notes == [
            (
                "R-17",
                "Held back while this runs: 3 partitions without a copy on broker 4; "
                "3 partitions without a copy on broker 5; 3 partitions without a copy on broker 6",
            ),
            ("R-17", "Held back while this ran: 3 alerts, all over by now"),
        ]
        assert [line.text.partition(";")[0] for line in stage.book.past] == [
            f"3 partitions without a copy on broker {one}" for one in (4, 5, 6)
        ]

    def test_is_noted_again_only_for_what_is_new(self) -> None:
        stage = Stage(leases=(MOVES,))
        stage.run(until=5, seen=lambda _: behind(4))
        stage.run(until=10, seen=lambda _: behind(4, 5))
        assert [words.count("broker") for _, words in stage.notes] == [1, 1]

    @pytest.mark.parametrize(
        ("seen", "why"),
        [
            (behind(9), "broker 9 is not of the plan"),
            (
                (finding("broker 4 and 9", rule="under_replicated", broker_ids=(4, 9)),),
                "not all its brokers are of the plan",
            ),
            ((finding(never_excused=True),), "too serious for any change"),
            ((finding(rule="data_loss", kind="lost"),), "no effect explains lost data"),
            ((finding(rule="rewind", kind="rewind"),), "nobody resets offsets"),
        ],
    )
    def test_is_not(self, seen: Findings, why: str) -> None:
        stage = Stage(leases=(MOVES,))
        stage.run(until=10, seen=lambda _: seen)
        assert stage.channel() == [(1, "post")], why
        assert stage.notes == []

    def test_is_not_what_people_knew_before(self) -> None:
        stage = Stage()
        stage.run(until=5, seen=lambda _: behind(4))
        stage.leases = (MOVES,)
        stage.run(until=10, seen=lambda _: behind(4))
        assert [one.key for one in stage.the().firing] == [behind(4)[0].key]  # type: ignore[union-attr]

    def test_is_noted_after_the_end_as_something_that_settles(self) -> None:
        stage = Stage(leases=(MOVES,))
        stage.run(until=5, seen=lambda _: ())
        stage.leases = (ended(MOVES, 5.5),)
        stage.run(until=8, seen=lambda _: behind(4))
        assert stage.notes[-1][1].startswith("Held back while this settles: ")

    def test_is_drawn_as_held_back_where_an_incident_is_open_and_forgotten_at_its_end(self) -> None:
        stage = Stage(leases=(MOVES,))
        stage.run(until=10, seen=lambda _: (*behind(9), *behind(4)))
        held = [one.finding.subject for one in stage.the().alerts if one.held_by == "R-17"]
        assert held == ["broker 4"]
        assert [one.finding.subject for one in stage.the().firing] == ["broker 9"]
        stage.run(until=20, seen=lambda _: behind(4))
        assert stage.the().ended_at is not None
        assert [one.finding.subject for one in stage.the().alerts] == ["broker 9"]

    def test_of_another_cluster_is_nothing(self) -> None:
        stage = Stage(leases=(MOVES.with_(cluster="other"),))
        stage.run(until=10, seen=lambda _: behind(4))
        assert stage.channel() == [(1, "post")]


class TestAfterwards:
    def test_what_is_still_bad_opens_an_incident_marked_with_the_change(self) -> None:
        stage = Stage(leases=(MOVES,))
        stage.run(until=10, seen=lambda _: behind(4))
        stage.leases = (ended(MOVES, 10.5),)
        stage.run(until=30, seen=lambda _: behind(4))
        assert stage.channel() == [(15.5, "post")], "grace of five minutes"
        assert stage.the().after_change == "R-17"
        assert stage.the().remark == "was held back while R-17 ran"
        assert stage.notes[-1] == (
            "R-17",
            "Held back while this ran: 1 alert; broker 4 not over yet, judged afresh in 5 min",
        )

    def test_the_grace_is_twice_the_time_the_slowest_group_needed_before(self) -> None:
        stage = Stage(leases=(MOVES,), drain_seconds=600)
        stage.run(until=10, seen=lambda _: (finding(),))
        stage.leases = (ended(MOVES, 10.5),)
        stage.drain_seconds = 0
        stage.run(until=60, seen=lambda _: (finding(),))
        assert stage.channel() == [(30.5, "post")]

    def test_a_dead_worker_lets_the_alerts_live_at_once(self) -> None:
        stage = Stage(leases=(MOVES,))
        stage.run(until=10, seen=lambda _: behind(4))
        stage.leases = ()
        stage.run(until=20, seen=lambda _: behind(4))
        assert stage.channel() == [(10.5, "post")]
        assert stage.the().after_change == ""

    def test_a_worker_that_takes_over_notes_nothing_twice(self) -> None:
        stage = Stage(leases=(MOVES,))
        stage.run(until=5, seen=lambda _: behind(4))
        stage.leases = ()
        stage.run(until=6, seen=lambda _: behind(4))
        stage.leases = (MOVES,)
        stage.run(until=10, seen=lambda _: behind(4))
        assert len(stage.notes) == 1

    def test_a_worker_whose_clock_is_ahead_gets_no_longer_grace(self) -> None:
        stage = Stage(leases=(MOVES,))
        stage.run(until=10, seen=lambda _: behind(4))
        stage.leases = (ended(MOVES, 600),)
        stage.run(until=30, seen=lambda _: behind(4))
        assert stage.channel() == [(15.5, "post")], "five minutes from when its end was seen"

    def test_a_lease_that_is_gone_after_its_end_still_has_its_grace(self) -> None:
        stage = Stage(leases=(MOVES,), drain_seconds=1200)
        stage.run(until=10, seen=lambda _: behind(4))
        stage.leases = (ended(MOVES, 10.5),)
        stage.run(until=12, seen=lambda _: behind(4))
        stage.leases = ()
        stage.run(until=60, seen=lambda _: behind(4))
        assert stage.channel() == [(50.5, "post")]


def uneven(ratio: float) -> Findings:
    phase = "trigger" if ratio >= 1.25 else "between"
    return (
        finding(
            "cluster",
            rule="imbalance",
            kind="leaders",
            phase=phase,
            measure=ratio,
            measure_words="most leaders over the mean",
        ),
    )


class TestOffers:
    """What a change brings is seen before the next one is proposed."""

    def test_pause_while_it_runs_and_until_its_grace_is_over(self) -> None:
        busy = (finding("broker 1", rule="imbalance", proposal="scale brokers 9"),)

        def offered(until: float) -> set[str]:
            stage.run(until=until, seen=lambda _: busy)
            return {one.finding.proposal for one in stage.the().firing}

        stage = Stage()
        assert offered(5) == {"scale brokers 9"}
        change = lease(Effect.ADDS_BROKERS, minute=5.5)
        stage.leases = (change,)
        assert offered(15) == {""}
        assert stage.the().firing[0].finding.why_not == (
            "R-17 is at work: what it brings is seen first"
        )
        stage.leases = (ended(change, 15.5),)
        assert offered(18) == {""}
        assert offered(60) == {"scale brokers 9"}


class TestChecks:
    """After the change the alert's own figure is said in the same message."""

    def story(self, after: Findings, measures: tuple[tuple[str, float], ...] = ()) -> Stage:
        stage = Stage()
        stage.run(until=5, seen=lambda _: uneven(1.62))
        stage.person("I-1", lambda one: proposed(one, request_id="R-17", person=ANA, now=stage.now))
        change = lease(Effect.MOVES_REPLICAS, minute=5.5)
        stage.leases = (change,)
        stage.run(until=15, seen=lambda _: uneven(1.5))
        stage.leases = (ended(change, 15.5),)
        stage.measures = measures
        stage.run(until=40, seen=lambda _: after)
        return stage

    def test_say_better_also_in_a_message_that_is_over_by_then(self) -> None:
        stage = self.story((), (("imbalance/leaders/cluster", 1.04),))
        words = "most leaders over the mean 1.62 → 1.04, better"
        assert stage.the().checked == (f"after R-17: {words}",)
        assert stage.texts("line")[-1] == f"After R-17: {words}"
        assert len(stage.kept) == 1

    def test_say_what_is_known_when_nobody_measures_what_is_fine(self) -> None:
        assert self.story(()).the().checked == (
            "after R-17: most leaders over the mean was 1.62, and no longer needs anybody",
        )

    @pytest.mark.parametrize(
        ("ratio", "verdict"),
        [(1.3, "better, but not over"), (1.63, "as before"), (2.0, "worse")],
    )
    def test_say_when_it_did_not_help(self, ratio: float, verdict: str) -> None:
        stage = self.story(uneven(ratio))
        assert stage.the().checked[0].endswith(f"1.62 → {ratio:g}, {verdict}")

    @pytest.mark.parametrize(("hours", "verdict"), [(6.0, "better, but not over"), (0.3, "worse")])
    def test_know_which_figures_ought_to_rise(self, hours: float, verdict: str) -> None:
        def risk(left: float) -> Finding:
            told = {"measure": left, "measure_words": "hours left", "more_is_better": True}
            return finding("group a", rule="data_loss", kind="at risk", for_seconds=0, **told)

        stage = Stage()
        stage.at(0, risk(1.8))
        change = lease(Effect.MOVES_REPLICAS, minute=0.5)
        stage.leases = (change,)
        stage.at(1, risk(1.8))
        stage.leases = (ended(change, 1.5),)
        stage.minute = 2
        stage.run(until=20, seen=lambda _: (risk(hours),))
        assert stage.the().checked[0].endswith(f"hours left 1.8 → {hours:g}, {verdict}")

    def test_follow_an_alert_that_goes_on_as_another_kind(self) -> None:
        def lagging(kind: str, lag: float) -> Findings:
            return (finding(kind=kind, measure=lag, measure_words="messages behind"),)

        stage = Stage()
        stage.run(until=5, seen=lambda _: lagging("stalled", 5_000))
        change = lease(Effect.MOVES_REPLICAS, minute=5.5)
        stage.leases = (change,)
        stage.run(until=10, seen=lambda _: lagging("stalled", 5_000))
        stage.leases = (ended(change, 10.5),)
        stage.run(until=40, seen=lambda _: lagging("falling behind", 9_000))
        assert stage.the().checked == ("after R-17: messages behind 5,000 → 9,000, worse",)

    def test_are_not_of_what_is_over_while_the_same_object_is_bad_in_another_way(self) -> None:
        def lagging(kind: str, lag: float) -> Findings:
            return (finding(kind=kind, measure=lag, measure_words="messages behind"),)

        stage = Stage()
        stage.run(until=5, seen=lambda _: lagging("stalled", 5_000))
        change = lease(Effect.MOVES_REPLICAS, minute=5.5)
        stage.leases = (change,)
        stage.run(until=10, seen=lambda _: lagging("stalled", 5_000))
        stage.run(until=20, seen=lambda _: ())
        stage.leases = (ended(change, 20.5),)
        stage.run(until=45, seen=lambda _: lagging("falling behind", 9_000))
        assert stage.the().checked == ("after R-17: messages behind 5,000 → 9,000, worse",)

    def test_come_once(self) -> None:
        stage = self.story(uneven(1.3))
        stage.run(until=120, seen=lambda _: uneven(1.3))
        assert len(stage.the().checked) == 1
        assert sum("After R-17" in text for text in stage.texts()) == 1


@pytest.mark.parametrize(
    ("effects", "groups", "subject", "explained"),
    [
        ((Effect.RESETS_OFFSETS,), ("payments",), "group payments", True),
        ((Effect.RESETS_OFFSETS,), ("payments",), "group billing", False),
        ((Effect.RESETS_OFFSETS,), (), "group payments", False),
        ((Effect.MOVES_REPLICAS,), ("payments",), "group payments", False),
        ((), ("payments",), "group payments", False),
    ],
)
def test_a_rewind_is_explained_only_by_a_reset_of_that_group(
    effects: tuple[Effect, ...], groups: tuple[str, ...], subject: str, explained: bool
) -> None:
    rewind = finding(subject, rule="rewind", severity=Severity.WARN)
    reset = lease(*effects, groups=groups)
    assert explains(reset, rewind, {Effect.RESETS_OFFSETS: "reset"}) is explained
