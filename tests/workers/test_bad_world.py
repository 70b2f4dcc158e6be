"""What cannot be done, and a world that does not answer: a sentence, a hold, and on it goes."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta

import pytest

from changes.catalog.scale_brokers import ScaleBrokers
from changes.lifecycle import State
from changes.request import Request
from ledger import Broken, Verified, verify
from policies import Policies
from tests.workers.conftest import Floor
from workers.jobs import run

SIX = ScaleBrokers(cluster="orders-lab", brokers=6)


@pytest.mark.parametrize(
    ("brokers", "words"), [(3, "3"), (2, "only grows"), (1, "only grows"), (4, "6 can"), (13, "13")]
)
async def test_what_cannot_be_done_is_denied_with_what_could(
    floor: Floor, brokers: int, words: str
) -> None:
    asked = floor.ask(SIX.with_(brokers=brokers))
    await floor.tick(asked)
    denied = floor.now(asked)
    assert denied.state is State.DENIED
    assert denied.verdict is not None
    (reason,) = denied.verdict.reasons
    assert words in reason.message + reason.would_pass, reason
    assert denied.log[-1].text.startswith("Denied: ")
    assert floor.ledger.due(floor.clock() + timedelta(days=1)) == ()
    assert floor.cluster.count("update_broker_count") == 0


@pytest.mark.parametrize("port", ["kafka", "msk"])
async def test_a_silent_port_at_the_first_survey_is_waited_for_and_then_said(
    floor: Floor, port: str
) -> None:
    floor.cluster.silent.add(port)
    asked = floor.ask(SIX)
    await floor.tick(asked)
    assert floor.now(asked).state is State.PREPARING
    floor.cluster.advance(200)
    await floor.tick(asked)
    denied = floor.now(asked)
    assert denied.state is State.DENIED
    assert "the cluster could not be read" in denied.log[-1].text
    floor.cluster.silent.clear()
    again = floor.ask(SIX, because="it answers now")
    await floor.tick(again)
    assert floor.now(again).state is State.AWAITING_APPROVAL


@pytest.mark.parametrize("port", ["kafka", "msk"])
async def test_a_port_that_falls_silent_during_work_holds_it_and_it_goes_on(
    floor: Floor, port: str
) -> None:
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    for _ in range(6):
        await floor.tick(asked)
        floor.cluster.advance(2)
    assert floor.now(asked).state is State.RUNNING
    floor.cluster.silent.add(port)
    for _ in range(4):
        await floor.tick(asked)
        floor.cluster.advance(2)
    assert floor.now(asked).state is State.RUNNING
    floor.cluster.silent.clear()
    assert (await floor.until_ended(asked)).state is State.DONE
    assert floor.cluster.count("update_broker_count") == 1


def without_the_cluster(floor: Floor) -> Policies:
    return replace(floor.runtime.policies, clusters={})


async def test_a_cluster_taken_out_of_the_file_denies_what_is_new(floor: Floor) -> None:
    asked = floor.ask(SIX)
    own = replace(floor.runtime, policies=without_the_cluster(floor))
    await run(own, asked.id)
    floor.cluster.advance(200)
    await run(own, asked.id)
    denied = floor.now(asked)
    assert denied.state is State.DENIED
    assert "orders-lab does not stand in clusters.yaml any more" in denied.log[-1].text


async def test_a_cluster_taken_out_of_the_file_holds_what_runs_until_it_is_back(
    floor: Floor,
) -> None:
    asked = floor.ask(SIX)
    await floor.tick(asked)
    floor.approve(asked)
    for _ in range(6):
        await floor.tick(asked)
        floor.cluster.advance(2)
    own = replace(floor.runtime, policies=without_the_cluster(floor))
    for _ in range(3):
        await run(own, asked.id)
        floor.cluster.advance(2)
    held: Request = floor.now(asked)
    assert held.state is State.RUNNING
    assert held.progress is not None
    assert "does not stand in clusters.yaml any more" in held.progress.hold
    assert (await floor.until_ended(asked)).state is State.DONE


async def test_one_changed_byte_of_an_exported_audit_file_is_found(floor: Floor) -> None:
    asked = floor.ask(SIX, because="lag")
    await floor.tick(asked)
    floor.approve(asked)
    assert (await floor.until_ended(asked)).state is State.DONE
    exported = io.StringIO()
    floor.ledger.export(exported)
    whole = exported.getvalue()
    assert isinstance(verify(whole.splitlines()), Verified)
    for at in range(0, len(whole), 37):
        if whole[at] == "\n":
            continue
        spoiled = whole[:at] + ("x" if whole[at] != "x" else "y") + whole[at + 1 :]
        found = verify(spoiled.splitlines())
        assert isinstance(found, Broken), f"byte {at} was changed unnoticed"
        assert found.line == whole[:at].count("\n") + 1
