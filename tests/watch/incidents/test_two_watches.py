"""Two watch processes on one ledger, each killed at any point: every incident is opened and ended once.

A process is a row of steps: read the book, judge, save. Between any two of them the other one may go on,
or this one may die and begin anew. The save is one transaction, so there is no half of a round.
"""

from __future__ import annotations

import random
from collections.abc import Generator
from datetime import timedelta

import pytest

from changes.incident import Finding, acknowledged
from changes.request import Person
from ledger import Conflict, Ledger
from tests.watch.incidents.stage import RULES, START, finding
from watch.evaluate import evaluate
from watch.incident_settings import IncidentSettings
from watch.rule import Looked

CLUSTER = "orders"
ROUNDS = 24


def seen(at: int) -> tuple[Finding, ...]:
    """Two groups in trouble, one after the other; then another trouble after all is over."""
    found = []
    if 1 <= at < 10:
        found.append(finding("group payments", keep_seconds=60))
    if 4 <= at < 8:
        found.append(finding("group billing", keep_seconds=60))
    if at >= 16:
        found.append(finding("cluster", rule="imbalance", kind="leaders", keep_seconds=60))
    return tuple(found)


def process(ledger: Ledger, clock: list[int]) -> Generator[str, None, None]:
    """One watch process, resting at every point where it may be killed or overtaken."""
    settings = IncidentSettings()
    while True:
        at = clock[0]
        book = ledger.watch_book(CLUSTER)
        yield "read"
        judged = evaluate(
            book,
            Looked(findings=seen(at)),
            rules=RULES,
            leases=(),
            mutes=(),
            settings=settings,
            now=START + timedelta(seconds=30 * at),
        )
        yield "judged"
        try:
            ledger.save_watch(CLUSTER, judged.book, judged.incidents, expected_version=book.version)
        except Conflict:
            yield "lost"
        yield "saved"


@pytest.mark.parametrize(
    "seed", [pytest.param(one, marks=pytest.mark.slow if one >= 10 else ()) for one in range(100)]
)
def test_each_incident_is_opened_once_and_ended_once(ledger: Ledger, seed: int) -> None:
    dice = random.Random(seed)
    clock = [0]
    running = [process(ledger, clock), process(ledger, clock)]
    for at in range(ROUNDS):
        clock[0] = at
        for _ in range(dice.randint(6, 12)):
            who = dice.randrange(2)
            if dice.random() < 0.1:
                running[who].close()  # killed where it rests
                running[who] = process(ledger, clock)
            next(running[who])
    found = ledger.incidents(CLUSTER)
    assert [(one.id, one.family.value, one.ended_at is None) for one in found] == [
        ("I-2", "balance", True),
        ("I-1", "consumers", False),
    ]
    told = [line.text for line in found[1].log]
    assert len(told) == len(set(told)), told
    assert sum(text.startswith("Over after") for text in told) == 1


def test_a_round_that_never_saved_is_told_by_the_next(ledger: Ledger) -> None:
    """Killed between judging and saving, however often: nothing is lost, nothing doubled."""
    clock = [1]
    for at in (1, 2, 3, 4):
        clock[0] = at
        first = process(ledger, clock)
        assert [next(first), next(first)] == ["read", "judged"]
        first.close()
        second = process(ledger, clock)
        assert [next(second), next(second), next(second)] == ["read", "judged", "saved"]
    assert [one.id for one in ledger.incidents(CLUSTER)] == ["I-1"]


def test_an_acknowledgement_between_reading_and_saving_is_kept(ledger: Ledger) -> None:
    clock = [0]
    watch = process(ledger, clock)
    for at in range(1, 6):
        clock[0] = at
        for _ in range(3):
            next(watch)
    clock[0] = 12
    assert next(watch) == "read"
    ana = Person(user_id="U0ANA", name="Ana")
    ledger.change_incident("I-1", lambda one: acknowledged(one, person=ana, now=START))
    assert next(watch) == "judged"
    assert next(watch) == "lost", "what it judged was of the incident before"
    stored = ledger.incident("I-1")
    assert stored is not None
    assert stored.acked_by == "U0ANA"
