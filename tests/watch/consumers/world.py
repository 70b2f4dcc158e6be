"""Topics, consumer groups and what happens to them, in minutes; each scan of it is a `Seen`.

    world = World()
    world.topic("orders", partitions=4, per_second=100)
    world.group("payments", reads={"orders": 4}, behind=50)
    world.at(10, lambda: world.stop("payments"))
    for seen in world.scans(until=60): ...

Nothing here is judged: `lookout.py` feeds scans to the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from changes.excuses import ChangeLease
from changes.facts import (
    Broker,
    BrokerLoad,
    ClusterRef,
    MskCluster,
    Partition,
    TopicSettings,
)
from changes.lag import GroupRead, LagScan, Member, TopicPartition
from watch.seen import Rung, Seen

BEGAN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CLUSTER = ClusterRef(name="orders-prod", arn="arn:test", region="eu-west-1", environment="prod")


@dataclass
class Log:
    """One partition."""

    per_second: float
    end: float
    start: float = 0.0
    start_per_second: float = 0.0
    stable_end: float | None = None
    broker: int = 1


@dataclass
class Reader:
    """One group on one partition: it follows the end by `behind`, or goes at a pace of its own."""

    committed: float
    behind: float | None = 50.0
    per_second: float = 0.0


@dataclass
class Group:
    state: str = "Stable"
    kind: str = "classic"
    readers: dict[TopicPartition, Reader] = field(default_factory=dict)
    members: tuple[Member, ...] = ()
    error: str = ""
    errors: dict[TopicPartition, str] = field(default_factory=dict)
    broker: int = 1


class World:
    def __init__(self, *, scan_seconds: float = 30.0) -> None:
        self.scan_seconds = scan_seconds
        self.seconds = 0.0
        self.logs: dict[TopicPartition, Log] = {}
        self.groups: dict[str, Group] = {}
        self.topics: dict[str, TopicSettings] = {}
        self.blind_brokers: dict[int, str] = {}
        self.dark = False
        """No offsets can be read at all."""
        self.leases: tuple[ChangeLease, ...] = ()
        self.ladder: tuple[float, ...] = ()
        """Ages to probe every scan; none = the ring alone."""
        self.tells_members = True
        self.loads: tuple[BrokerLoad, ...] | None = None
        self.brokers: tuple[Broker, ...] | None = None
        self.msk: MskCluster | None = None
        self.clock_off = 0.0
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._turns = count()
        self._past: list[tuple[float, dict[TopicPartition, float]]] = []

    # What there is.

    def topic(
        self,
        name: str,
        *,
        partitions: int = 4,
        per_second: float = 100.0,
        end: float = 1_000_000.0,
        start: float = 0.0,
        brokers: Sequence[int] = (1,),
        compacted: bool = False,
    ) -> None:
        self.topics[name] = TopicSettings(compacted=compacted)
        for number in range(partitions):
            self.logs[name, number] = Log(
                per_second=per_second, end=end, start=start, broker=brokers[number % len(brokers)]
            )

    def group(
        self,
        name: str,
        *,
        reads: dict[str, int],
        behind: float = 50.0,
        hosts: Sequence[str] = ("host-1",),
        state: str = "Stable",
        broker: int = 1,
    ) -> None:
        """`reads`: topic → number of partitions; they are dealt to the hosts in turn."""
        places = [(topic, number) for topic, most in reads.items() for number in range(most)]
        self.groups[name] = Group(
            state=state,
            readers={
                place: Reader(max(0.0, self.logs[place].end - behind), behind) for place in places
            },
            members=members_on(hosts, places),
            broker=broker,
        )

    # What happens.

    def at(self, minute: float, *do: Callable[[], object]) -> None:
        for one in do:
            self._events.append((minute * 60, next(self._turns), one))

    def every(self, minutes: float, *, until: float, do: Callable[[], object]) -> None:
        turn = minutes
        while turn <= until:
            self.at(turn, do)
            turn += minutes

    def freeze(self, group: str, *places: TopicPartition) -> None:
        """No commits any more, on these partitions or on all."""
        for place in places or tuple(self.groups[group].readers):
            reader = self.groups[group].readers[place]
            reader.behind, reader.per_second = None, 0.0

    def slow(self, group: str, per_second: float, *places: TopicPartition) -> None:
        """Commits at this pace, whatever comes in."""
        for place in places or tuple(self.groups[group].readers):
            reader = self.groups[group].readers[place]
            reader.behind, reader.per_second = None, per_second

    def follow(self, group: str, behind: float = 50.0) -> None:
        for reader in self.groups[group].readers.values():
            reader.behind = behind

    def state(self, group: str, state: str) -> None:
        self.groups[group].state = state

    def stop(self, group: str, *, leaves_after_seconds: float = 45.0) -> None:
        """Killed: commits end at once, the group is Empty when its session has run out."""
        self.freeze(group)
        self._events.append(
            (self.seconds + leaves_after_seconds, next(self._turns), lambda: self.leave(group))
        )

    def leave(self, group: str) -> None:
        self.groups[group].state, self.groups[group].members = "Empty", ()

    def shift(self, group: str, by: float) -> None:
        """Offsets are set by so many messages; a reader that follows goes on from there."""
        for reader in self.groups[group].readers.values():
            reader.committed = max(0.0, reader.committed + by)
            if reader.behind is not None:
                reader.behind = max(0.0, reader.behind - by)

    def commit_all(self, group: str) -> None:
        for place, reader in self.groups[group].readers.items():
            reader.committed = self.logs[place].end

    def produce(self, topic: str, messages: float, partition: int = 0) -> None:
        self.logs[topic, partition].end += messages

    # What a scan sees of it.

    def scans(self, *, until: float, scan_now: bool = True) -> Iterator[Seen]:
        """From now on, every `scan_seconds`, up to and including this minute."""
        due = self.seconds if scan_now else self.seconds + self.scan_seconds
        while due <= until * 60:
            self.advance(due)
            yield self.seen()
            due += self.scan_seconds

    def advance(self, until_seconds: float) -> None:
        while True:
            pending = [one for one in self._events if one[0] <= until_seconds]
            if not pending:
                break
            event = min(pending)
            self._flow(event[0] - self.seconds)
            self._events.remove(event)
            event[2]()
        self._flow(until_seconds - self.seconds)

    def seen(self) -> Seen:
        at = BEGAN + timedelta(seconds=self.seconds + self.clock_off)
        scan = None if self.dark else self._scan(at)
        placed = tuple(
            Partition(
                topic=topic, partition=number, replicas=(log.broker,), isr=(log.broker,),
                leader=log.broker,
            )
            for (topic, number), log in self.logs.items()
        )  # fmt: skip
        return Seen(
            at=at,
            cluster=CLUSTER,
            scan_seconds=self.scan_seconds,
            lag=scan,
            rungs=tuple(self._rung(age, at) for age in self.ladder) if scan else (),
            members={name: one.members for name, one in self.groups.items() if one.members}
            if self.tells_members
            else {},
            stable_ends={
                place: int(log.stable_end)
                for place, log in self.logs.items()
                if log.stable_end is not None
            },
            brokers=self.brokers,
            partitions=placed,
            topics=dict(self.topics),
            msk=self.msk,
            loads=self.loads,
            loads_at=at if self.loads else None,
            leases=self.leases,
            blind={"lag": "Kafka does not answer"} if self.dark else {},
        )

    def _scan(self, at: datetime) -> LagScan:
        """Brokers that are blind coordinate groups and lead partitions nobody can read."""
        groups = {
            name: GroupRead(
                state=one.state,
                kind=one.kind,
                coordinator=one.broker,
                committed={}
                if one.error
                else {
                    place: int(reader.committed)
                    for place, reader in one.readers.items()
                    if place not in one.errors
                },
                error=one.error,
                errors=dict(one.errors),
            )
            for name, one in self.groups.items()
            if one.broker not in self.blind_brokers
        }
        places = sorted({place for one in groups.values() for place in one.committed})
        ends = [place for place in places if self.logs[place].broker not in self.blind_brokers]
        return LagScan(
            at=at,
            groups=groups,
            ends={place: int(self.logs[place].end) for place in ends},
            end_errors={
                place: "its leader does not answer" for place in places if place not in ends
            },
            starts={place: int(self.logs[place].start) for place in ends},
            blind_brokers=dict(self.blind_brokers),
            missing_groups=frozenset(
                name for name, one in self.groups.items() if one.broker in self.blind_brokers
            ),
        )

    def _rung(self, age: float, at: datetime) -> Rung:
        """Answers as a broker would give them, from what the ends were then."""
        offsets = {}
        for place, log in self.logs.items():
            first = max(log.start, self._end_at(place, self.seconds - age))
            offsets[place] = int(first) if first < log.end else -1
        return Rung(age_seconds=age, at=at, offsets=offsets)

    def _end_at(self, place: TopicPartition, second: float) -> float:
        """Where the log ended then; before the world began it had grown at the same pace."""
        known = [(at, ends[place]) for at, ends in self._past if place in ends]
        later = next((one for one in known if one[0] >= second), None)
        if later is None:
            return self.logs[place].end
        earlier = max((one for one in known if one[0] <= second), default=None)
        if earlier is None:
            return later[1] - self.logs[place].per_second * (later[0] - second)
        share = (second - earlier[0]) / ((later[0] - earlier[0]) or 1.0)
        return earlier[1] + share * (later[1] - earlier[1])

    def _flow(self, seconds: float) -> None:
        self._past.append((self.seconds, {place: log.end for place, log in self.logs.items()}))
        for log in self.logs.values():
            log.end += log.per_second * seconds
            log.start += log.start_per_second * seconds
        for one in self.groups.values():
            for place, reader in one.readers.items():
                _read(reader, self.logs[place], seconds)
        self.seconds += seconds
        self._past.append((self.seconds, {place: log.end for place, log in self.logs.items()}))


def _read(reader: Reader, log: Log, seconds: float) -> None:
    if reader.committed < 0:
        return
    if reader.behind is None:
        limit = log.end if log.stable_end is None else log.stable_end
        ahead = min(limit, reader.committed + reader.per_second * seconds)
        reader.committed = max(reader.committed, ahead)
    else:
        reader.committed = max(reader.committed, log.end - reader.behind)


def members_on(
    hosts: Sequence[str], places: Sequence[TopicPartition], *, client: str = "consumer"
) -> tuple[Member, ...]:
    return tuple(
        Member(
            member_id=f"{client}-{number}-id",
            client_id=f"{client}-{number}",
            host=f"/{host}",
            owns=tuple(places[number - 1 :: len(hosts)]),
        )
        for number, host in enumerate(hosts, start=1)
    )
