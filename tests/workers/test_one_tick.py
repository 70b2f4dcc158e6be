"""An approved request starts, asks MSK and takes its first picture in one tick; nothing waits for a drawing."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from changes.catalog.scale_brokers import ScaleBrokers
from changes.lifecycle import State
from changes.request import Request
from ledger import Conflict
from tests.workers.conftest import Floor
from workers import ticks
from workers.desk import Desk

SIX = ScaleBrokers(cluster="orders-lab", brokers=6)


async def approved(floor: Floor) -> Request:
    asked = floor.ask(SIX)
    await floor.tick(asked)
    return floor.approve(asked)


def texts(request: Request) -> list[str]:
    return [line.text for line in request.log]


async def test_one_tick_goes_from_the_approval_to_msk_and_its_picture(floor: Floor) -> None:
    request = await approved(floor)
    await floor.tick(request)
    running = floor.now(request)
    assert running.state is State.RUNNING
    called = [name for name, *_ in floor.cluster.calls]
    assert called.index("update_broker_count") < called.index("picture")
    assert running.progress is not None
    assert running.progress.snapshots == ("before",)
    assert "msk_operation" in running.progress.memory


async def test_the_first_picture_is_of_the_time_before_though_drawn_later(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[dict[str, Any]] = []
    draw = floor.cluster.metrics.picture

    async def picture(**asked: Any) -> bytes:
        shown.append(asked)
        return await draw(**asked)

    monkeypatch.setattr(floor.cluster.metrics, "picture", picture)
    request = await approved(floor)
    await floor.tick(request)
    running = floor.now(request)
    assert running.progress is not None
    first = shown[0]
    assert first["end"] == running.progress.started_at
    assert first["marks"] == ((running.progress.started_at, "start"),)
    assert first["start"] < first["end"] - timedelta(minutes=5)
    (line,) = [text for text in texts(running) if text.startswith("Before: ")]
    assert re.match(r"Before: 3 brokers · CPU ", line)


async def test_a_slow_tick_starts_and_leaves_the_rest_to_the_next(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticks, "CARRY_ON_WITHIN", timedelta(seconds=-1))
    request = await approved(floor)
    await floor.tick(request)
    assert floor.now(request).state is State.RUNNING
    assert floor.cluster.count("update_broker_count") == 0
    floor.clock.advance(15)
    assert floor.ledger.due(floor.clock()) == (request.id,)
    monkeypatch.undo()
    assert (await floor.until_ended(request)).state is State.DONE
    assert floor.cluster.count("update_broker_count") == 1


async def test_a_line_that_comes_amid_the_act_loses_neither_itself_nor_the_result(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = await approved(floor)
    update = floor.cluster.msk.update_broker_count

    async def noted_meanwhile(**asked: Any) -> Any:
        answer = await update(**asked)
        for number in range(3):
            floor.ledger.note_on_request(
                request.id, f"held back: alert {number}", now=floor.clock()
            )
        return answer

    monkeypatch.setattr(floor.cluster.msk, "update_broker_count", noted_meanwhile)
    await floor.tick(request)
    running = floor.now(request)
    assert [t for t in texts(running) if t.startswith("held back")] == [
        f"held back: alert {number}" for number in range(3)
    ]
    assert running.progress is not None
    assert "msk_operation" in running.progress.memory, "the result was saved on top of the lines"
    assert running.progress.snapshots == ("before",)
    assert (await floor.until_ended(request)).state is State.DONE
    assert floor.cluster.count("update_broker_count") == 1


async def test_a_desk_without_its_lease_saves_nothing_on_top_of_a_line(floor: Floor) -> None:
    request = await approved(floor)
    fence = floor.ledger.claim(f"request:{request.id}", seconds=5)
    assert fence is not None
    desk = Desk(runtime=floor.runtime, fence=fence, now=floor.clock())
    floor.ledger.release(fence)
    floor.ledger.note_on_request(request.id, "held back", now=floor.clock())
    with pytest.raises(Conflict, match="passed on"):
        desk.save(request, request.with_(waits="x"), due_seconds=1)
    assert floor.now(request).waits == ""
