"""The MSK cluster as the endpoint keeps it: identity, state, and the one operation that may run.

Operations are background tasks that act on the real fleet; a client learns of them only by polling,
as on AWS. The fleet, not this class, knows how many brokers there are.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lab.aws import operations as op
from lab.aws.broker_count import (
    brokers_to_remove,
    refuse_count,
    refuse_removal,
    zones_to_grow,
)
from lab.aws.disk import user_partition_exists
from lab.aws.faults import Faults
from lab.aws.identity import Identity, load_or_create, save
from lab.aws.operations import Operation
from lab.aws.refusals import STALE_VERSION, Refused, bad_request, wrong_state
from lab.fleet import Fleet, LabBroker

log = logging.getLogger(__name__)

STARTS_AT_ONCE = 3  # one an AZ: measured, three at once on two cores take 6 s, one after another 12
OPERATIONS_KEPT = 1_000
PENDING_SECONDS_ON_AWS = 180.0  # undocumented there; divided by the time scale here
FINISHING_SECONDS_ON_AWS = 60.0


@dataclass(frozen=True)
class Hardware:
    """What the cluster claims to run on."""

    instance_type: str
    volume_gib: int
    kafka_version: str


class Cluster:
    """One provisioned Standard cluster."""

    def __init__(
        self,
        *,
        fleet: Fleet,
        faults: Faults,
        folder: Path,
        name: str,
        hardware: Hardware,
        time_scale: float,
    ) -> None:
        self.fleet = fleet
        self.hardware = hardware
        self._faults = faults
        self._folder = folder
        self._time_scale = time_scale
        self.identity: Identity = load_or_create(folder=folder, name=name)
        self._operations: dict[str, Operation] = {}
        self._active: str | None = None
        self._task: asyncio.Task[None] | None = None

    def zones(self) -> tuple[str, ...]:
        """The AZ ids the brokers stand in; the first brokers of the lab fix them."""
        return tuple(sorted({broker.az_id for broker in self.fleet.brokers()}))

    def state(self) -> str:
        """The state MSK would report now."""
        if fault := self._faults.peek(name="cluster_state"):
            return fault.state
        return "UPDATING" if self._active else "ACTIVE"

    def active_operation(self) -> Operation | None:
        return self._operations[self._active] if self._active else None

    def number_of_brokers(self) -> int:
        """While a count change runs MSK still reports the count it started from."""
        running = self.active_operation()
        return running.source_brokers if running else len(self.fleet.brokers())

    def operation(self, arn: str) -> Operation | None:
        return self._operations.get(arn)

    def operations(self) -> tuple[Operation, ...]:
        """Newest first."""
        return tuple(reversed(self._operations.values()))

    def update_broker_count(self, *, version: str, target: int) -> Operation:
        """Accept the change and start it, or raise the refusal."""
        if self.state() != "ACTIVE":
            raise wrong_state(allowed=("ACTIVE",))
        if version != self.identity.current_version:
            raise bad_request(STALE_VERSION, parameter="currentVersion")
        leaving = self._check_count(target)
        return self._accept(target=target, leaving=leaving)

    def _check_count(self, target: int) -> tuple[int, ...]:
        """The brokers that will leave (none when growing), or the refusal."""
        zones, current = self.zones(), len(self.fleet.brokers())
        refused = refuse_count(
            target=target,
            current=current,
            zones=len(zones),
            kafka_version=self.hardware.kafka_version,
        )
        if refused:
            raise refused
        return () if target > current else self._check_removal(target, current, zones)

    def _check_removal(self, target: int, current: int, zones: Sequence[str]) -> tuple[int, ...]:
        refused = refuse_removal(
            target=target,
            current=current,
            zones=len(zones),
            instance_type=self.hardware.instance_type,
        )
        if refused:
            raise refused
        empty = [
            (broker.broker_id, broker.az_id)
            for broker in self.fleet.brokers()
            if broker.alive and not user_partition_exists(broker.log_dir)
        ]
        chosen = brokers_to_remove(empty=empty, zones=zones)
        if isinstance(chosen, Refused):
            raise chosen
        return chosen

    def _accept(self, *, target: int, leaving: tuple[int, ...]) -> Operation:
        current = len(self.fleet.brokers())
        operation = Operation(
            arn=self.identity.new_operation_arn(),
            kind="INCREASE_BROKER_COUNT" if target > current else "DECREASE_BROKER_COUNT",
            created_at=dt.datetime.now(dt.UTC),
            source_brokers=current,
            target_brokers=target,
        )
        self.identity = self.identity.with_new_version()
        save(self.identity, folder=self._folder)
        self._remember(operation)
        self._active = operation.arn
        self._task = asyncio.create_task(self._carry_out(operation, leaving))
        return operation

    def _remember(self, operation: Operation) -> None:
        self._operations[operation.arn] = operation
        while len(self._operations) > OPERATIONS_KEPT:
            del self._operations[next(iter(self._operations))]

    async def _carry_out(self, operation: Operation, leaving: tuple[int, ...]) -> None:
        await asyncio.sleep(PENDING_SECONDS_ON_AWS / self._time_scale)
        self._remember(replace(operation, state=op.IN_PROGRESS))
        planned = self._faults.take(name="update_fails", operation="UpdateBrokerCount")
        if planned:
            ended = _failed(operation, planned.message or "The lab was told to fail this update.")
        else:
            ended = await self._act(operation, leaving)
        await asyncio.sleep(FINISHING_SECONDS_ON_AWS / self._time_scale)
        self._remember(replace(ended, ended_at=dt.datetime.now(dt.UTC)))
        self._active = None

    async def _act(self, operation: Operation, leaving: tuple[int, ...]) -> Operation:
        try:
            if leaving:
                return await self._shrink(operation, leaving)
            return await self._grow(operation)
        # The outer edge of a background task: a dead task would leave the cluster UPDATING forever.
        except Exception as mistake:
            log.exception("carrying out %s", operation.arn)
            return _failed(operation, f"{type(mistake).__name__}: {mistake}")

    async def _shrink(self, operation: Operation, leaving: tuple[int, ...]) -> Operation:
        for broker_id in leaving:
            await self.fleet.remove(broker_id=broker_id)
        return replace(operation, state=op.COMPLETE, deleted_ids=tuple(sorted(leaving)))

    async def _grow(self, operation: Operation) -> Operation:
        before = self._broker_ids()
        zones = zones_to_grow(
            present=[broker.az_id for broker in self.fleet.brokers()],
            zones=self.zones(),
            added=operation.target_brokers - operation.source_brokers,
        )
        gate = asyncio.Semaphore(STARTS_AT_ONCE)
        adds = [self._add(zone, gate) for zone in zones]
        # Every start is waited for, also when another failed: a late one would be a stray broker.
        ended = await asyncio.gather(*adds, return_exceptions=True)
        broken = [str(one) for one in ended if isinstance(one, BaseException)]
        started = tuple(sorted(self._broker_ids() - before))
        if not broken:
            return replace(operation, state=op.COMPLETE, created_ids=started)
        # Half a growth would leave the zones uneven, so those that did start leave again.
        stuck = [sentence for each in started if (sentence := await self._take_back(each))]
        return _failed(operation, "; ".join(broken + stuck))

    def _broker_ids(self) -> set[int]:
        return {broker.broker_id for broker in self.fleet.brokers()}

    async def _add(self, zone: str, gate: asyncio.Semaphore) -> LabBroker:
        async with gate:
            return await self.fleet.add(az_id=zone)

    async def _take_back(self, broker_id: int) -> str | None:
        """Remove a broker of a failed growth; the sentence when even that fails."""
        try:
            await self.fleet.remove(broker_id=broker_id)
        # A broker that died half-started can fail in any way; the operation has failed anyhow.
        except Exception as mistake:
            log.exception("taking back broker %d", broker_id)
            return f"broker {broker_id} could not be removed again: {mistake}"
        return None

    async def close(self) -> None:
        """Stop a running operation where it stands; the supervisor stops the brokers."""
        if self._task is None or self._task.done():
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def _failed(operation: Operation, sentence: str) -> Operation:
    return replace(operation, state=op.FAILED, error_code="UpdateFailed", error_text=sentence)
