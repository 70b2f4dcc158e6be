"""Grow a cluster to a number of brokers, and put the new ones to use.

MSK adds brokers and moves nothing: on Standard clusters new brokers stay idle until partitions are
moved to them. So this change is the whole job: MSK adds the brokers, Ottla waits until each is
registered with its AZ, moves a share of the replicas in throttled batches, hands leadership over,
removes the throttles and validates every broker.

The number is the new total and must be a multiple of the cluster's availability zones. Growing
cannot simply be taken back: removing brokers needs a drain first. On Express clusters with
intelligent rebalancing ACTIVE, AWS moves the data itself and Ottla only adds and validates.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import Field

from changes.change import Change, FactType
from changes.excuses import Effect
from changes.facts import ClusterFacts, MskCluster, MskOperation
from changes.gates import msk_gate
from changes.moves import ReplicaMove
from changes.msk_limits import (
    allowed_counts,
    broker_quota,
    month_cost_usd,
    partitions_per_broker,
)
from changes.placement.judge import judge
from changes.placement.measure import Metrics, measure
from changes.placement.spread import spread
from changes.plan import CannotPlan, CardLine, Impact, Plan
from changes.ports import Refused, World
from changes.replica_plan import (
    call_order,
    impact_of,
    move_steps,
    ordered_moves,
    placement_of,
    preconditions_of,
)
from changes.steps import (
    Acted,
    Broken,
    Finished,
    Look,
    Memory,
    NotStarted,
    Step,
    TryAgain,
    Underway,
)
from changes.steps_validate import Validate
from changes.verdict import ExecutionLimits

AWS_MOVES_SECONDS = 30 * 60.0
"""AWS's own word for how long its rebalancing takes after growth (intelligent rebalancing page)."""


class ScaleBrokers(Change):
    """`brokers` is the new total, not how many to add."""

    usage: ClassVar[str] = "scale brokers <brokers>"
    examples: ClassVar[tuple[str, ...]] = (
        "scale brokers 6",
        "scale brokers 6 on orders-prod because the sale starts on Friday",
    )
    policy_fact_types: ClassVar[Mapping[str, FactType]] = {
        "scale.brokers": "int",
        "scale.brokers_now": "int",
        "scale.brokers_added": "int",
        "scale.partitions_per_broker_after": "int",
    }

    effects: ClassVar[tuple[Effect, ...]] = (
        Effect.ADDS_BROKERS,
        Effect.MOVES_REPLICAS,
        Effect.MOVES_LEADERS,
        Effect.LOADS_BROKERS,
    )

    brokers: int = Field(ge=1, le=1000)

    def describe(self) -> str:
        return f"Scale {self.cluster} to {self.brokers} brokers"

    def plan(self, facts: ClusterFacts, limits: ExecutionLimits) -> Plan | CannotPlan:
        cannot = self._refused_by_msk(facts) or self._refused_by_kafka(facts)
        if cannot:
            return cannot
        return self._ours(facts, limits) if not facts.msk.express else self._aws(facts, limits)

    def _refused_by_msk(self, facts: ClusterFacts) -> CannotPlan | None:
        """MSK's own rules, checked before MSK would (AWS: update-broker-count)."""
        msk = facts.msk
        if msk.cluster_type != "PROVISIONED":
            return CannotPlan(words=f"{msk.name} is {msk.cluster_type}: it has no brokers to add")
        if msk.state != "ACTIVE":
            why = f" ({msk.state_message})" if msk.state_message else ""
            return CannotPlan(
                words=f"MSK says {msk.name} is {msk.state}{why}; it takes changes only when ACTIVE",
                would_pass="the same command once the cluster is ACTIVE",
            )
        return self._refused_count(msk)

    def _refused_count(self, msk: MskCluster) -> CannotPlan | None:
        azs, now, wanted = len(msk.az_ids), msk.broker_count, self.brokers
        quota = broker_quota(kraft=msk.kraft)
        possible = allowed_counts(azs=azs, current=now, quota=quota)
        nearest = ", ".join(str(n) for n in nearest_counts(possible, wanted))
        if wanted == now:
            return CannotPlan(
                words=f"{msk.name} already has {now} brokers: nothing to do", would_pass=nearest
            )
        if wanted < now:
            return CannotPlan(
                words=f"{msk.name} has {now} brokers; this change only grows. "
                f"Removing brokers needs a drain first and is not offered yet",
                would_pass=nearest,
            )
        if wanted % azs:
            return CannotPlan(words=uneven_words(wanted, azs, possible), would_pass=nearest)
        if wanted > quota:
            return CannotPlan(
                words=f"{wanted} brokers are more than AWS's quota of {quota} per cluster; "
                "the quota has to be raised with AWS first",
                would_pass=nearest,
            )
        return None

    def _refused_by_kafka(self, facts: ClusterFacts) -> CannotPlan | None:
        """What Kafka itself shows that makes any placement a guess."""
        known = {broker.broker_id for broker in facts.brokers}
        away = sorted({node.broker_id for node in facts.nodes} - known)
        if away:
            return CannotPlan(
                words=f"broker {away[0]} is in MSK's list but not registered in Kafka; "
                "a plan made now would leave it out",
                would_pass="the same command once every broker is back",
            )
        if facts.not_seen:
            return CannotPlan(words=f"not everything could be read: {'; '.join(facts.not_seen)}")
        if facts.reassignments:
            first = facts.reassignments[0].key
            return CannotPlan(
                words=f"{len(facts.reassignments)} partitions are being moved by somebody else "
                f"({first} first)",
                would_pass="the same command once those moves have ended",
            )
        return None

    def _ours(self, facts: ClusterFacts, limits: ExecutionLimits) -> Plan | CannotPlan:
        new = new_brokers(facts, self.brokers)
        before = placement_of(facts, new)
        after = spread(before)
        refused = judge(before, after)
        if refused:
            return CannotPlan(words=f"no safe placement was found: {refused[0]}")
        order = call_order(before, after, limits)
        moves = ordered_moves(before, after, order)
        impact = impact_of(facts, before, after, limits, order=order)
        return Plan(
            change=self,
            cluster_arn=facts.msk.arn,
            msk_current_version=facts.msk.current_version,
            summary=f"{facts.msk.name}: {facts.msk.broker_count} → {self.brokers} brokers",
            steps=self._steps(facts, new, moves, limits),
            lines=card_lines(facts, self.brokers, measure(before, after)),
            warnings=warnings_of(facts, self.brokers),
            cannot_be_undone=(
                "MSK cannot simply take brokers away again: each has to be drained first",
            ),
            undo="until the moves are done, stopping cancels running moves; "
            "brokers stay and are billed",
            preconditions=preconditions_of(facts, moves),
            impact=self._with_msk(facts, impact, limits),
            policy_facts=self._policy_facts(facts),
        )

    def _aws(self, facts: ClusterFacts, limits: ExecutionLimits) -> Plan | CannotPlan:
        """Express: with intelligent rebalancing ACTIVE, AWS moves the data after adding."""
        if facts.msk.rebalancing != "ACTIVE":
            return CannotPlan(
                words="this is an Express cluster with intelligent rebalancing paused; "
                "new brokers would stay idle",
                would_pass="the same command once rebalancing is ACTIVE",
            )
        new = new_brokers(facts, self.brokers)
        return Plan(
            change=self,
            cluster_arn=facts.msk.arn,
            msk_current_version=facts.msk.current_version,
            summary=f"{facts.msk.name}: {facts.msk.broker_count} → {self.brokers} brokers",
            steps=(
                *add_steps(facts, self.brokers, new, limits),
                self._validation(limits, new).with_(
                    aws_moves=True,
                    patience_minutes=AWS_MOVES_SECONDS / 60 + PATIENCE_MINUTES,
                ),
            ),
            lines=(CardLine(label="Data", text="AWS moves it (intelligent rebalancing)"),),
            cannot_be_undone=("brokers stay until they are removed by a change of their own",),
            preconditions=preconditions_of(facts, ()),
            impact=self._with_msk(facts, Impact(duration_seconds_high=AWS_MOVES_SECONDS), limits),
            policy_facts=self._policy_facts(facts),
        )

    def _steps(
        self,
        facts: ClusterFacts,
        new: Mapping[int, str],
        moves: tuple[ReplicaMove, ...],
        limits: ExecutionLimits,
    ) -> tuple[Step, ...]:
        return (
            *add_steps(facts, self.brokers, new, limits),
            *move_steps(moves, limits),
            self._validation(limits, new),
        )

    def _with_msk(self, facts: ClusterFacts, impact: Impact, limits: ExecutionLimits) -> Impact:
        """The impact with MSK's own time and the list price of the brokers added."""
        return impact.with_(
            duration_seconds_low=impact.duration_seconds_low + limits.add_brokers_minutes_low * 60,
            duration_seconds_high=impact.duration_seconds_high
            + limits.add_brokers_minutes_high * 60,
            cost_usd_per_month=month_cost_usd(
                brokers=self.brokers - facts.msk.broker_count,
                instance_type=facts.msk.instance_type,
                volume_gib=facts.msk.volume_gib,
            ),
        )

    def _validation(self, limits: ExecutionLimits, new: Mapping[int, str]) -> Validate:
        return Validate(
            brokers=self.brokers,
            new_brokers=tuple(new),
            cpu_percent_max=limits.cpu_percent_max,
            disk_used_percent_max=limits.disk_used_percent_max,
        )

    def _policy_facts(self, facts: ClusterFacts) -> dict[str, int | float | str | bool]:
        replicas = sum(len(p.replicas) for p in facts.partitions)
        return {
            "scale.brokers": self.brokers,
            "scale.brokers_now": facts.msk.broker_count,
            "scale.brokers_added": self.brokers - facts.msk.broker_count,
            "scale.partitions_per_broker_after": -(-replicas // self.brokers),
        }


class AddBrokers(Step):
    """Ask MSK once for the new total, and wait for its operation.

    The version that was approved is remembered before the call: asking again with it cannot add brokers
    twice, nor to a cluster that is another one by now, since MSK refuses a version that is not current.
    """

    permissions: ClassVar[tuple[str, ...]] = (
        "kafka:UpdateBrokerCount",
        "kafka:DescribeClusterV2",
        "kafka:DescribeClusterOperationV2",
        "kafka:ListClusterOperations",
    )
    marks_chart: ClassVar[bool] = True

    brokers_before: int
    brokers: int
    msk_version: str = ""
    """MSK's `CurrentVersion` in the plan that was approved; empty in plans of an older Ottla."""
    patience_minutes: float = 45.0
    """After that a person is told; Ottla goes on asking, since only MSK knows how it ends."""

    def title(self) -> str:
        return f"MSK adds {self.brokers - self.brokers_before} brokers"

    async def look(self, world: World) -> Look:
        if "msk_version" not in world.memory:
            return NotStarted()
        operation = await self._operation(world)
        if operation is None:
            return await self._without_operation(world)
        if operation.failed:
            return Broken(words=f"MSK could not add the brokers: {operation.error or 'no reason'}")
        msk = await world.msk.describe()
        if operation.succeeded and msk.state == "ACTIVE" and msk.broker_count == self.brokers:
            return Finished(note=f"MSK has {msk.broker_count} brokers")
        said = operation.state.replace("_", " ").lower()
        return Underway(note=f"MSK operation: {said}", hold=self._slow(world, msk, said))

    async def intend(self, world: World) -> Memory:
        if "msk_version" in world.memory:
            return {}
        msk = await world.msk.describe()
        version = self.msk_version or msk.current_version
        return {"msk_version": version, "msk_asked_at": world.now.isoformat()}

    async def act(self, world: World) -> Acted:
        version = str(world.memory["msk_version"])
        answer = await world.msk.update_broker_count(current_version=version, brokers=self.brokers)
        if not isinstance(answer, Refused):
            return {"msk_operation": answer.operation_arn}
        if answer.stale or answer.passing:
            return TryAgain(words=answer.words)
        return Broken(words=answer.words)

    async def undo(self, world: World) -> Look:
        """MSK's work cannot be stopped and brokers cannot simply be taken away: say what stays."""
        if "msk_version" not in world.memory:
            return Finished()
        operation = await self._operation(world)
        if operation is None or operation.failed:
            return Finished()
        if not operation.succeeded:
            return Finished(
                note="MSK goes on adding brokers, which nobody can stop; they will hold no data"
            )
        return Finished(note="the brokers MSK has added; removing them needs a drain")

    def _slow(self, world: World, msk: MskCluster, said: str) -> str:
        """Longer than it should take, or a cluster that MSK gave up: the sentence, else nothing."""
        if msk.state == "FAILED":
            return msk_gate(msk)
        if waited_minutes(world) <= self.patience_minutes:
            return ""
        return (
            f"MSK's operation has been at it for {waited_minutes(world):.0f} min ({said}); "
            f"{self.patience_minutes:.0f} min were expected. Ottla goes on asking; "
            "AWS support can tell more"
        )

    async def _operation(self, world: World) -> MskOperation | None:
        """Ours by its ARN; after a death between call and save, by target and time."""
        arn = world.memory.get("msk_operation")
        if isinstance(arn, str):
            return await world.msk.operation(arn=arn)
        asked_at = datetime.fromisoformat(str(world.memory["msk_asked_at"]))
        for operation in await world.msk.operations():
            recent = operation.created_at >= asked_at - CLOCK_SKEW
            if recent and operation.kind == "INCREASE_BROKER_COUNT":
                full = await world.msk.operation(arn=operation.arn)
                if full.target_broker_count in (None, self.brokers):
                    return full
        return None

    async def _without_operation(self, world: World) -> Look:
        msk = await world.msk.describe()
        if msk.broker_count == self.brokers and msk.state == "ACTIVE":
            return Finished(note=f"MSK has {msk.broker_count} brokers")
        if msk.current_version == world.memory["msk_version"] and msk.state == "ACTIVE":
            return NotStarted()
        if msk.state != "ACTIVE":
            return Underway(hold=f"MSK says the cluster is {msk.state}")
        return Broken(
            words="somebody changed the cluster in MSK since this was approved; no broker was added"
        )


PATIENCE_MINUTES = 15.0
"""Beyond the time that was expected of MSK, before a person is told that it takes long."""
CLOCK_SKEW = timedelta(minutes=5)
"""Our clock against AWS's, when an operation is recognised by its time."""


class AwaitBrokers(Step):
    """Wait until every new broker is registered in Kafka with its AZ, and learn its id."""

    permissions: ClassVar[tuple[str, ...]] = (
        "kafka-cluster:Connect",
        "kafka-cluster:DescribeCluster",
    )

    known: tuple[int, ...]
    expected: Mapping[int, str]
    """Provisional id → rack."""
    patience_minutes: float = 45.0

    def title(self) -> str:
        return "New brokers register in Kafka"

    async def look(self, world: World) -> Look:
        new = [b for b in await world.kafka.brokers() if b.broker_id not in self.known]
        free = {b.broker_id: b.rack for b in new}
        bound: dict[str, int] = {}
        for provisional, rack in self.expected.items():
            match = next((i for i in sorted(free) if not rack or free[i] == rack), None)
            if match is not None:
                bound[str(provisional)] = match
                del free[match]
        if len(bound) == len(self.expected):
            names = ", ".join(str(i) for i in sorted(bound.values()))
            return Finished(note=f"brokers {names}", memory={"broker_ids": dict(bound)})
        if len(new) >= len(self.expected):
            racks = ", ".join(f"{b.broker_id} in {b.rack or 'no AZ'}" for b in new)
            return Broken(words=f"the new brokers are not in the AZs that were planned: {racks}")
        return Underway(
            note=f"{len(bound)} of {len(self.expected)} new brokers registered",
            done=len(bound),
            total=len(self.expected),
            unit="brokers",
            hold=self._slow(world, missing=len(self.expected) - len(bound)),
        )

    def _slow(self, world: World, *, missing: int) -> str:
        if waited_minutes(world) <= self.patience_minutes:
            return ""
        return (
            f"{missing} new brokers have not registered in Kafka after "
            f"{waited_minutes(world):.0f} min; MSK counts them already"
        )

    async def act(self, world: World) -> Acted:
        del world
        return Broken(words="waiting has nothing to act on")


def add_steps(
    facts: ClusterFacts, brokers: int, new: Mapping[int, str], limits: ExecutionLimits
) -> tuple[Step, ...]:
    patience = limits.add_brokers_minutes_high + PATIENCE_MINUTES
    return (
        AddBrokers(
            brokers_before=facts.msk.broker_count,
            brokers=brokers,
            msk_version=facts.msk.current_version,
            patience_minutes=patience,
        ),
        AwaitBrokers(
            known=tuple(sorted(b.broker_id for b in facts.brokers)),
            expected=dict(new),
            patience_minutes=patience,
        ),
    )


def waited_minutes(world: World) -> float:
    """How long the present step has been at it."""
    return (world.now - world.since).total_seconds() / 60 if world.since else 0.0


def uneven_words(wanted: int, azs: int, possible: tuple[int, ...]) -> str:
    """Why an odd number will not do, and which will: "4 or 5 cannot be spread; 6 can"."""
    good = next((n for n in possible if n >= wanted), None)
    words = (
        f"{wanted} brokers cannot be spread evenly over {azs} availability zones; "
        f"MSK wants a multiple of {azs}"
    )
    if good is None:
        return words
    bad = " or ".join(str(n) for n in range(good - azs + 1, good))
    return f"{words}: {bad} cannot be spread; {good} can"


def nearest_counts(possible: tuple[int, ...], wanted: int) -> tuple[int, ...]:
    """The allowed numbers next to the wish: the one below, if any, and the one above."""
    below = [n for n in possible if n < wanted][-1:]
    above = [n for n in possible if n > wanted or n == wanted][:1]
    return tuple(below + above)


def new_brokers(facts: ClusterFacts, brokers: int) -> dict[int, str]:
    """Provisional ids −1, −2, … with the rack each will have: MSK adds as many in every AZ."""
    racks = sorted({b.rack for b in facts.brokers})
    azs = racks if len(racks) == len(facts.msk.az_ids) else list(facts.msk.az_ids)
    count = brokers - facts.msk.broker_count
    known = any(b.rack for b in facts.brokers)
    return {-(n + 1): azs[n % len(azs)] if known else "" for n in range(count)}


def card_lines(facts: ClusterFacts, brokers: int, metrics: Metrics) -> tuple[CardLine, ...]:
    azs = len(facts.msk.az_ids)
    return (
        CardLine(label="Zones", text=f"{azs} AZs, {brokers // azs} brokers in each"),
        CardLine(label="Type", text=f"{facts.msk.instance_type}, {facts.msk.volume_gib} GiB each"),
        CardLine(
            label="Balance after",
            text=f"fullest disk {metrics.disk_max_over_mean:.2f}×, "
            f"most leaders {metrics.leaders_max_over_mean:.2f}× the mean",
        ),
    )


def warnings_of(facts: ClusterFacts, brokers: int) -> tuple[str, ...]:
    found = []
    thin = sum(p.under_replicated for p in facts.partitions)
    if thin:
        found.append(f"{thin} partitions are under-replicated now; moving waits until they are not")
    if not any(b.rack for b in facts.brokers):
        found.append("brokers name no AZ (broker.rack): replicas cannot be kept apart by AZ")
    limit = partitions_per_broker(facts.msk.instance_type)
    replicas = sum(len(p.replicas) for p in facts.partitions)
    if limit and replicas / brokers > limit.recommended:
        found.append(
            f"{replicas // brokers} partitions a broker afterwards; "
            f"AWS recommends at most {limit.recommended} for {facts.msk.instance_type}"
        )
    return tuple(found)
