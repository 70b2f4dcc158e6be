"""The Msk port over a `FakeCluster`: one operation at a time, guarded by `currentVersion`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from changes.facts import MskCluster, MskNode, MskOperation
from changes.ports import Accepted, Refused
from tests.fakes.parts import FakeOperation

if TYPE_CHECKING:
    from tests.fakes.cluster import FakeCluster

STALE = "The version of the cluster isn’t current. Check the current version and try again."


class FakeMsk:
    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster

    async def describe(self) -> MskCluster:
        truth = self._cluster
        truth.called("msk", "describe")
        running = self._running()
        return MskCluster(
            arn=truth.ref.arn,
            name=truth.ref.name,
            cluster_type="PROVISIONED",
            state=truth.state,
            current_version=truth.version,
            instance_type=truth.instance_type,
            broker_count=truth.broker_count,
            az_ids=truth.azs,
            volume_gib=truth.volume_gib,
            kafka_version=truth.kafka_version,
            active_operation_arn=running.arn if running else None,
        ).with_(**truth.msk_says)

    async def nodes(self) -> tuple[MskNode, ...]:
        truth = self._cluster
        truth.called("msk", "nodes")
        return tuple(
            MskNode(
                broker_id=broker.broker_id,
                endpoints=(f"b-{broker.broker_id}.{truth.ref.name}.example",),
                subnet=f"subnet-{broker.rack}",
                instance_type=truth.instance_type,
            )
            for broker in truth.brokers.values()
        )

    async def operation(self, *, arn: str) -> MskOperation:
        self._cluster.called("msk", "operation", arn)
        for operation in self._cluster.operations:
            if operation.arn == arn:
                return operation.as_fact()
        raise LookupError(f"no operation {arn}")

    async def operations(self) -> tuple[MskOperation, ...]:
        self._cluster.called("msk", "operations")
        return tuple(one.as_fact() for one in reversed(self._cluster.operations))

    async def update_broker_count(
        self, *, current_version: str, brokers: int
    ) -> Accepted | Refused:
        truth = self._cluster
        truth.called("msk", "update_broker_count", current_version, brokers)
        refused = self._refusal(current_version, brokers)
        if refused:
            return refused
        operation = self._start(brokers)
        truth.answered("update_broker_count")
        return Accepted(operation_arn=operation.arn)

    def _refusal(self, current_version: str, brokers: int) -> Refused | None:
        truth = self._cluster
        if truth.refusals:
            return Refused(words=truth.refusals.pop(0))
        if truth.state != "ACTIVE":
            words = "This operation is only valid for resources in one of the following states :[ACTIVE]"
            return Refused(words=words, passing=True)
        if current_version != truth.version:
            return Refused(words=STALE, stale=True)
        if brokers % len(truth.azs):
            return Refused(words="The number of broker nodes must be a multiple of the AZ count.")
        if brokers <= truth.broker_count:
            return Refused(words="The request does not include any new broker nodes.")
        return None

    def _running(self) -> FakeOperation | None:
        live = ("PENDING", "UPDATE_IN_PROGRESS")
        return next((one for one in self._cluster.operations if one.state in live), None)

    def _start(self, brokers: int) -> FakeOperation:
        """Everything that will happen is put on the timetable at once."""
        truth = self._cluster
        number = len(truth.operations) + 1
        first = max(truth.brokers) + 1
        created = tuple(range(first, first + brokers - truth.broker_count))
        arn = truth.ref.arn.replace(":cluster/", ":cluster-operation/") + f"/{number}"
        operation = FakeOperation(arn, truth.clock(), brokers, created)
        operation.error, truth.operation_error = truth.operation_error, ""
        truth.operations.append(operation)
        truth.state = "UPDATING"
        truth.bump_version()

        def begin() -> None:
            operation.state = "UPDATE_IN_PROGRESS"

        def end() -> None:
            operation.state = "UPDATE_FAILED" if operation.error else "UPDATE_COMPLETE"
            truth.state = "ACTIVE"
            if not operation.error:
                truth.broker_count = brokers

        truth.after(truth.pending_seconds, begin)
        if not operation.error:
            for index, broker_id in enumerate(created):
                truth.after(truth.register_seconds + index, partial(truth.register, broker_id))
        truth.after(truth.update_seconds, end)
        return operation
