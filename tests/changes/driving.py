"""Drive a plan's steps on a fake cluster to their end, as a worker would, without ledger or queue."""

from __future__ import annotations

from changes.plan import Plan
from changes.ports import Json
from changes.progress import wants_act
from changes.steps import Broken, Finished, TryAgain, Underway
from tests.fakes.cluster import FakeCluster

TICKS_MAX = 20_000


class Driven:
    """What came of it: notes per finished step, holds seen, and the memory at the end."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.holds: list[str] = []
        self.memory: dict[str, Json] = {}
        self.broken: str = ""
        self.ticks = 0


async def drive(plan: Plan, cluster: FakeCluster, *, seconds_per_tick: float = 5) -> Driven:
    driven = Driven()
    for step in plan.steps:
        while True:
            driven.ticks += 1
            assert driven.ticks < TICKS_MAX, f"{step.title()} never ends: {driven.holds[-1:]}"
            look = await step.look(cluster.world(memory=driven.memory))
            if isinstance(look, Finished):
                driven.notes.append(look.note)
                driven.memory.update(look.memory)
                break
            if isinstance(look, Broken):
                driven.broken = look.words
                return driven
            if isinstance(look, Underway) and look.hold:
                driven.holds.append(look.hold)
            if wants_act(look):
                driven.memory.update(await step.intend(cluster.world(memory=driven.memory)))
                result = await step.act(cluster.world(memory=driven.memory))
                if isinstance(result, Broken):
                    driven.broken = result.words
                    return driven
                if isinstance(result, TryAgain):
                    driven.holds.append(result.words)
                else:
                    driven.memory.update(result)
            cluster.advance(seconds_per_tick)
    return driven
