"""Shared steps that move replicas: in throttled batches, and the cleaning up after them.

How `MoveReplicas` works, tick by tick:

1. Sort all moves by the cluster's truth: waiting, moving, done (`moves.sort_moves`).
2. A partition somebody else moves or changed holds or breaks the step; gates hold the next batch.
3. Before the first act the throttles that are set now are remembered, so they can be restored.
4. Each act sets the rates that are not as wanted, takes finished partitions off the throttled lists,
   and submits as many moves as there is room for.

A copy may never arrive: records that come in faster than the throttle lets copies through, a failed
disk. Nothing is held back by a gate then, so the look says what to hold with (`Underway.stuck`).

Throttle settings are checked on every look while something moves, held or paused as well: a
reconciler of somebody else may delete them mid-move (rebalancing handbook, lesson 5). A broker that is
away is left out until it is back, since telling it times out (lesson 6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from changes.facts import Partition
from changes.gates import (
    broker_gate,
    foreign_gate,
    load_gate,
    msk_gate,
    partition_gate,
    standing_copies_gate,
)
from changes.lag_gate import LagGate
from changes.moves import MovesSeen, ReplicaMove, next_batch, sort_moves
from changes.ports import World
from changes.steps import (
    Acted,
    Broken,
    Finished,
    Look,
    Memory,
    TryAgain,
    Underway,
)
from changes.steps_throttles import ReplicaStep, bound_ids
from changes.steps_validate import rate_in_words
from changes.submitted import (
    SUBMITTED_MAX,
    cancelled_again,
    lost_in_words,
    lost_moves,
    submitted,
    submitted_times,
)
from changes.tagged import Value
from changes.throttling import (
    BEFORE,
    leftover_lists,
    missing_lists,
    rates_to_set,
    remembered,
    wanted_lists,
)

__all__ = ["MoveReplicas", "bound_ids"]

THROTTLE_CHANGED = (
    "the throttle of the running moves was changed or taken away by somebody; it is set again"
)


def not_cancelled(refused: Mapping[tuple[str, int], str]) -> str:
    if not refused:
        return ""
    (topic, number), words = next(iter(refused.items()))
    return f"Kafka refuses to cancel {len(refused)} moves, {topic}-{number} first ({words})"


def stuck_in_words(moving: Sequence[ReplicaMove], throttle_bytes_per_second: int) -> str:
    """What a person can look at when copies run and none arrives; nothing moves, nothing to say."""
    if not moving:
        return ""
    first = moving[0]
    to = ", ".join(str(b) for b in first.adding)
    more = f" and {len(moving) - 1} more" if len(moving) > 1 else ""
    return (
        f"{first.key} to broker {to}{more} is being copied and does not arrive. Either records come in "
        f"faster than the throttle of {rate_in_words(throttle_bytes_per_second)} lets copies through, or "
        f"a disk of broker {to} fails (its log says so). Fewer records for a while let it catch up; "
        "an abort cancels these moves and keeps what is in place"
    )


class Scene(Value):
    """What one look at Kafka shows of our moves and of everything around them."""

    moves: MovesSeen
    partitions: Mapping[str, Partition]
    running: frozenset[str]
    living: tuple[int, ...]

    def can_lead(self, move: ReplicaMove) -> bool:
        """Would an original replica lead if the move were cancelled? Else nobody would."""
        in_sync = set(self.partitions[move.key].isr)
        return bool(in_sync & set(move.before) & set(self.living))


class MoveReplicas(ReplicaStep):
    """Move replicas to their planned places, a few partitions at a time, under a throttle."""

    marks_chart: ClassVar[bool] = True
    minds_lag: ClassVar[bool] = True

    partitions_per_call: int
    partitions_in_flight: int
    cpu_percent_max: float
    disk_used_percent_max: float
    lag_gate: bool = True

    def title(self) -> str:
        return f"Move replicas of {len(self.moves)} partitions"

    async def look(self, world: World) -> Look:
        scene = await self._scene(world)
        seen = scene.moves
        if seen.changed:
            return self._changed_by_others(seen)
        if seen.complete:
            return await self._finished(world, seen)
        lost = lost_moves(seen, world.memory)
        if any(submitted_times(world.memory, m) >= SUBMITTED_MAX for m in lost):
            return cancelled_again(lost[0])
        hold = await self._hold(world, scene)
        begin = not hold and not world.paused and bool(self._batch(seen))
        unsafe, meddled = await self._throttle_off(world, scene)
        done, left = await self._bytes(world, scene)
        lag = self._lag(world)
        return Underway(
            note=f"{len(seen.done) + len(seen.gone)} of {len(self.moves)} partitions in place, "
            f"{len(seen.moving)} moving",
            done=done,
            total=sum(m.bytes_moved for m in self.moves),
            unit="bytes",
            hold=hold,
            act=begin or unsafe,
            upkeep=unsafe,
            say=lost_in_words(lost)
            or (THROTTLE_CHANGED if meddled else "")
            or ("" if hold else lag.say()),
            over=lag.over(),
            running=len(seen.moving),
            left=left,
            stuck="" if self._may_stand(world, scene) else self._stuck_words(seen.moving),
        )

    def _may_stand(self, world: World, scene: Scene) -> bool:
        """May copies stand still by good right? Then another sentence says so."""
        away = set(self.brokers(world)) - set(scene.living)
        return bool(away) or any(
            scene.partitions[m.key].leader in (None, -1) for m in scene.moves.moving
        )

    def _stuck_words(self, moving: Sequence[ReplicaMove]) -> str:
        return stuck_in_words(moving, self.throttle_bytes_per_second)

    async def intend(self, world: World) -> Memory:
        if BEFORE in world.memory:
            return {}
        living = await self.living(world)
        present = await world.kafka.throttles(topics=self.topics, broker_ids=living)
        return {BEFORE: present.model_dump(mode="json")}

    async def act(self, world: World) -> Acted:
        scene = await self._scene(world)
        stopped = world.paused or bool(await self._hold(world, scene))
        batch = () if stopped else self._batch(scene.moves)
        await self._throttle(world, scene, batch)
        if not batch:
            return {}
        refused = await world.kafka.reassign(
            targets={(m.topic, m.partition): m.after for m in batch}
        )
        if refused:
            (topic, number), words = next(iter(refused.items()))
            return TryAgain(words=f"Kafka refused to move {topic}-{number}: {words}")
        return {
            **submitted(world.memory, batch, open_moves=scene.moves),
            **self._lag(world).batch(),
        }

    async def undo(self, world: World) -> Look:
        """Cancel what runs (never where no original replica lives), then clear the throttles."""
        scene = await self._scene(world)
        seen = scene.moves
        # What does not run any more cannot be cancelled: its list ends by itself, or somebody else made it.
        moving = [m for m in seen.moving if m.key in scene.running]
        safe = [m for m in moving if scene.can_lead(m)]
        if safe:
            refused = await world.kafka.reassign(
                targets={(m.topic, m.partition): None for m in safe}
            )
            if refused and (hold := await self._not_cancelled(world, refused)):
                return Underway(hold=hold)
            return Underway(note=f"cancelling {len(safe)} moves", act=True)
        if moving:
            return Underway(
                hold=f"{len(moving)} moves cannot be cancelled: none of their original "
                "replicas is in sync; waiting for them to finish"
            )
        if await self.clear_throttles(world):
            return Underway(note="throttles removed", act=True)
        if hold := await self.untold(world):
            return Underway(hold=hold)
        moved = len(seen.done)
        return Finished(note=f"{moved} partitions stay where they were moved to" if moved else "")

    async def _not_cancelled(self, world: World, refused: Mapping[tuple[str, int], str]) -> str:
        """A move that ended by itself in this moment is refused too, and needs no words."""
        running = {(one.topic, one.partition) for one in await world.kafka.reassignments()}
        return not_cancelled({key: words for key, words in refused.items() if key in running})

    async def _scene(self, world: World) -> Scene:
        """Running moves are read before metadata: one that ends in between is seen as moving."""
        running = await world.kafka.reassignments()
        partitions = await world.kafka.partitions()
        return Scene(
            moves=sort_moves(self.bound(world), partitions, running),
            partitions={p.key: p for p in partitions},
            running=frozenset(r.key for r in running),
            living=await self.living(world),
        )

    def _batch(self, seen: MovesSeen) -> tuple[ReplicaMove, ...]:
        return next_batch(
            seen, per_call=self.partitions_per_call, in_flight_max=self.partitions_in_flight
        )

    def _changed_by_others(self, seen: MovesSeen) -> Broken:
        first = seen.changed[0]
        return Broken(
            words=f"somebody else changed the replicas of {len(seen.changed)} partitions "
            f"while they waited ({first.key} first); {len(seen.done)} were moved before that"
        )

    async def _hold(self, world: World, scene: Scene) -> str:
        """The first reason why the next batch has to wait."""
        moving = {m.key for m in scene.moves.moving}
        return (
            msk_gate(await world.msk.describe())
            or broker_gate(self.brokers(world), scene.living)
            or foreign_gate(scene.running - moving)
            or partition_gate(tuple(scene.partitions.values()), moving=moving)
            or standing_copies_gate(scene.moves.moving, scene.partitions)
            or load_gate(
                await world.metrics.loads(broker_ids=scene.living),
                cpu_percent_max=self.cpu_percent_max,
                disk_used_percent_max=self.disk_used_percent_max,
            )
            or (self._lag(world).hold() if scene.moves.waiting and not world.paused else "")
        )

    def _lag(self, world: World) -> LagGate:
        known = world.lag if self.lag_gate else None
        return LagGate(known, world.memory, world.now, world.quiet_since, world.since)

    async def _bytes(self, world: World, scene: Scene) -> tuple[float, float]:
        """What has arrived of all that was planned, and what is still to come of the copies that run.

        Finished moves count whole. What is still to come is held against the leaders' logs as they are
        now: where they grow faster than copies arrive, it does not shrink.
        """
        done, left = float(sum(m.bytes_moved for m in scene.moves.done)), 0.0
        copies = [(m, b) for m in scene.moves.moving for b in m.adding if b in scene.living]
        if not copies:
            return done, left
        leaders = {scene.partitions[m.key].leader for m, _ in copies} & set(scene.living)
        asked = sorted({b for _, b in copies} | {b for b in leaders if b is not None})
        sizes = await world.kafka.replica_sizes(broker_ids=asked)
        for move, broker_id in copies:
            partition = scene.partitions[move.key]
            here = sizes.get((broker_id, move.topic, move.partition), 0)
            leader = -1 if partition.leader is None else partition.leader
            whole = sizes.get((leader, move.topic, move.partition), move.size_bytes)
            done += min(move.size_bytes, here)
            left += 0 if broker_id in partition.isr else max(0, whole - here)
        return done, left

    async def _throttle_off(self, world: World, scene: Scene) -> tuple[bool, bool]:
        """Is the throttle of running moves not as it should be, and did somebody change it?

        A source that is not listed is nobody's doing: leadership moved, so another broker is read.
        """
        if not scene.moves.moving or BEFORE not in world.memory:
            return False, False
        present = await world.kafka.throttles(topics=self.topics, broker_ids=scene.living)
        missing = missing_lists(wanted_lists(scene.moves.moving, scene.partitions), present)
        rates = rates_to_set(scene.living, self.throttle_bytes_per_second, present)
        meddled = bool(rates) or any(lists.follower for lists in missing.values())
        return bool(missing) or meddled, meddled

    async def _throttle(self, world: World, scene: Scene, batch: tuple[ReplicaMove, ...]) -> None:
        living = scene.living
        present = await world.kafka.throttles(topics=self.topics, broker_ids=living)
        rates = rates_to_set(living, self.throttle_bytes_per_second, present)
        if rates:
            await world.kafka.set_broker_rates(rates=rates)
        wanted = wanted_lists((*scene.moves.moving, *batch), scene.partitions)
        add = missing_lists(wanted, present)
        remove = leftover_lists(scene.moves.done, present, remembered(world.memory))
        if add or remove:
            await world.kafka.change_throttled_replicas(add=add, remove=remove)

    async def _finished(self, world: World, seen: MovesSeen) -> Finished:
        sizes = await world.kafka.replica_sizes()
        moved = sum(
            sizes.get((b, m.topic, m.partition), m.size_bytes) for m in seen.done for b in m.adding
        )
        replicas = sum(len(m.adding) for m in seen.done)
        gone = f"; {len(seen.gone)} were deleted meanwhile" if seen.gone else ""
        return Finished(
            note=f"{len(seen.done)} partitions are in place{gone}",
            memory={"bytes_moved": moved, "replicas_moved": replicas},
        )
