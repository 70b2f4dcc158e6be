"""Whatever the rules say, people do and changes excuse: what must hold after every round."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from changes.excuses import Effect
from changes.incident import (
    AlertState,
    Family,
    Finding,
    Incident,
    Mute,
    Severity,
    Unseen,
    acknowledged,
    muted,
    proposed,
    unmuted,
)
from changes.request import Refusal
from tests.watch.incidents.stage import ANA, RULES, Stage, finding, lease, unseen
from watch.incident_settings import IncidentSettings
from watch.telling_round import ALOUD_LINES_MAX

ROUNDS = 150
SUBJECTS = ("cluster", "broker 2", "group payments", "group console-consumer-48123", "group <@U1>")


def any_sight(dice: random.Random) -> Finding | Unseen:
    rule = dice.choice(RULES).name
    subject = dice.choice((*SUBJECTS, "*"))
    if subject == "*" or dice.random() < 0.1:
        return unseen(subject, rule=rule)
    return finding(
        subject,
        rule=rule,
        kind=dice.choice(("one", "two")),
        severity=dice.choice(list(Severity)),
        phase=dice.choice(("trigger", "trigger", "trigger", "between")),
        for_seconds=dice.choice((0, 60, 300)),
        keep_seconds=dice.choice((0, 60, 300)),
        measure=dice.choice((None, dice.random())),
        never_excused=dice.random() < 0.1,
        broker_ids=dice.choice(((), (2,), (2, 3))),
        lines=dice.choice(((), ("more of it",))),
    )


def somebody_acts(stage: Stage, dice: random.Random) -> None:
    """A button on any incident, refused or not."""
    if not stage.kept:
        return
    name = dice.choice(sorted(stage.kept))
    one, now = stage.kept[name], stage.now
    until = now + timedelta(minutes=dice.choice((5, 60, 600)))
    after = dice.choice(
        (
            lambda: acknowledged(one, person=ANA, now=now),
            lambda: muted(one, person=ANA, until=until, now=now),
            lambda: unmuted(one, person=ANA, now=now),
            lambda: proposed(one, request_id="R-17", person=ANA, now=now),
        )
    )()
    if not isinstance(after, Refusal):
        stage.kept[name] = after.with_(version=one.version + 1)


def something_runs(stage: Stage, dice: random.Random) -> None:
    change = lease(*dice.sample(list(Effect), 2), minute=stage.minute, broker_ids=(2, 3))
    ended = change.with_(ended_at=stage.now)
    stage.leases = dice.choice(((), (change,), (ended,)))
    until = stage.now + timedelta(minutes=30)
    mute = Mute(id="M-1", cluster="orders", subject="broker 2", by="U", at=stage.now, until=until)
    stage.mutes = dice.choice(((), (mute,)))


def check(stage: Stage) -> None:
    kept = list(stage.kept.values())
    for family in Family:
        assert sum(1 for one in kept if one.family is family and not one.ended_at) <= 1
    assert len({one.key for one in stage.book.alerts}) == len(stage.book.alerts)
    for one in kept:
        check_incident(one)
    for alert in stage.book.alerts:
        if alert.finding.grave and alert.state is AlertState.FIRING:
            assert not alert.held_by.startswith(("mute M", "R-", "alert ")), alert.held_by
    loud = [
        one
        for one in stage.book.alerts
        if one.state is AlertState.FIRING and not one.held_by and one.finding.severity > 1
    ]
    for alert in loud:
        assert alert.fired_at is not None
        assert any(one.family is alert.finding.family and not one.ended_at for one in kept), (
            f"nobody is told of {alert.key}"
        )


def check_incident(one: Incident) -> None:
    assert len(one.log) <= ALOUD_LINES_MAX + 10  # people's acts are written down in any case
    assert len({alert.key for alert in one.alerts}) == len(one.alerts)
    assert one.told is not None
    assert all(alert.finding.severity <= one.told for alert in one.firing) or one.ended_at
    if one.ended_at:
        lasting = [alert for alert in one.firing if alert.finding.severity > Severity.INFO]
        assert lasting == []
    for line in one.log:
        assert "<@U1>" not in line.text


@pytest.mark.parametrize(
    "seed", [pytest.param(one, marks=pytest.mark.slow if one >= 6 else ()) for one in range(60)]
)
def test_holds_after_every_round(seed: int) -> None:
    dice = random.Random(seed)
    settings = IncidentSettings(
        repeat_crit_hours=dice.choice((0, 0.1)), post_infos=dice.random() < 0.5
    )
    stage = Stage(settings=settings, scan_seconds=dice.choice((10, 30, 300)))
    habits = [any_sight(dice) for _ in range(8)]
    for _ in range(ROUNDS):
        if dice.random() < 0.1:
            somebody_acts(stage, dice)
        if dice.random() < 0.05:
            something_runs(stage, dice)
        if dice.random() < 0.2:
            habits[dice.randrange(8)] = any_sight(dice)
        seen = [one for one in habits if dice.random() < 0.8]
        stage.at(stage.minute + stage.scan_seconds / 60, *seen)
        check(stage)
