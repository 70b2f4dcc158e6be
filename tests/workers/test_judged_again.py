"""Policies are asked again when work starts: windows close and facts move while a request waits."""

from __future__ import annotations

import pytest

from changes.catalog.scale_brokers import ScaleBrokers
from changes.lifecycle import State
from changes.standing import answered
from tests.workers.conftest import BOB, Floor
from tests.workers.test_world_changes import nothing_left, said, ticks

SIX = ScaleBrokers(cluster="orders-lab", brokers=6)
FROZEN = '    freezes:\n      - {from: "2026-11-03 09:01", to: "2026-11-03 09:30", reason: sale}\n'
WEEKENDS = "      - {count: 2, groups: [S0LABKAPPR], label: two, when: time.hour >= 10}\n"
BUSY = """      - name: quiet hours
        expression: time.hour < 10
        message: mornings only
"""


def rule_file(floor: Floor, *, after: str, added: str) -> None:
    """The lab's policy with a few lines more; its examples name no hour, so they go."""
    file = floor.folder / "lab.yaml"
    text = file.read_text().partition("    examples:\n")[0]
    assert after in text
    file.write_text(text.replace(after, after + added, 1))
    floor.read_policies_again()


async def test_a_freeze_that_began_meanwhile_is_waited_for_with_the_approvals_kept(
    floor: Floor,
) -> None:
    rule_file(floor, after="policies:\n  - name: lab\n", added=FROZEN)
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    floor.clock.advance(90)
    waits = await ticks(floor, asked, number=3)
    assert waits.state is State.QUEUED
    assert "changes are frozen" in waits.waits
    assert "sale" in waits.waits
    assert "09:30" in waits.waits
    assert said(waits).count("Waits to start: changes are frozen") == 1
    assert floor.cluster.count("update_broker_count") == 0
    floor.clock.advance(29 * 60)
    waits = await ticks(floor, asked, number=1)
    told = answered(waits, people=(BOB,), now=floor.clock())
    floor.ledger.save(told, audit=None, due_at=floor.clock())
    assert (await floor.until_ended(asked, seconds_per_tick=10)).state is State.DONE
    nothing_left(floor)


async def test_approved_but_frozen_until_it_expires_says_what_it_waited_for(floor: Floor) -> None:
    rule_file(floor, after="policies:\n  - name: lab\n", added=FROZEN.replace("09:30", "12:30"))
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    floor.clock.advance(90)
    await ticks(floor, asked, number=1)
    floor.clock.advance(60 * 60)
    over = await ticks(floor, asked, number=1)
    assert over.state is State.EXPIRED
    assert "Expired: it was approved but could not start in time" in said(over)
    assert "changes are frozen" in over.log[-1].text


@pytest.mark.parametrize(
    ("after", "added", "state", "words"),
    [
        ("    approvals:\n", WEEKENDS, State.AWAITING_APPROVAL, "2 of two"),
        ("    rules:\n", BUSY, State.DENIED, "mornings only"),
    ],
)
async def test_a_rule_that_says_otherwise_by_now_voids_the_approvals(
    floor: Floor, after: str, added: str, state: State, words: str
) -> None:
    rule_file(floor, after=after, added=added)
    floor.clock.advance(59 * 60)
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    floor.clock.advance(61)
    again = await ticks(floor, asked, number=2)
    assert again.state is state, said(again)
    assert words in "; ".join(again.differences)
    assert floor.cluster.count("update_broker_count") == 0
