"""The fake cluster in a process of its own, so that its truth outlives the workers that are killed.

Ports are called over a Unix socket, pickled; an exception travels like an answer. The clock that all
share lives there too, and moves when it is told.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from multiprocessing.connection import Client, Connection, Listener
from multiprocessing.synchronize import Event
from typing import Any, NamedTuple, cast

from changes.ports import Kafka, Metrics, Msk, World
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster
from tests.faults.moments import Moments

MB = 1_000_000
TOPICS = {"orders": [6 * MB] * 9, "clicks": [3 * MB] * 12}
"""Small, and so placed that the job needs two batches and an election."""
EFFECTS = frozenset(
    {
        "update_broker_count",
        "reassign",
        "elect_preferred_leaders",
        "set_broker_rates",
        "change_throttled_replicas",
    }
)


class Truth(NamedTuple):
    """What the cluster is in the end, whoever asked for it."""

    accepted_updates: int
    replicas: Mapping[tuple[str, int], tuple[int, ...]]
    leaderless: int
    left_behind: tuple[str, ...]


def new_cluster() -> FakeCluster:
    return FakeCluster(
        clock=FakeClock(), name="orders-lab", environment="lab", topics=TOPICS, update_seconds=40
    )


class FarCluster:
    """The serving side: one cluster, reset between cases."""

    def __init__(self) -> None:
        self._cluster = new_cluster()
        self._lock = threading.Lock()

    def serve(self, address: str, ready: Event) -> None:
        listener = Listener(address, "AF_UNIX")
        ready.set()
        while True:
            try:
                caller = listener.accept()
            except (EOFError, ConnectionError):
                continue  # it was killed while it called
            threading.Thread(target=self._answer, args=(caller,), daemon=True).start()

    def _answer(self, caller: Connection) -> None:
        while True:
            try:
                port, call, given, named = caller.recv()
                caller.send(self._called(port, call, given, named))
            except (EOFError, OSError):
                return  # whoever asked was killed

    def _called(self, port: str, call: str, given: Any, named: Any) -> tuple[bool, Any]:
        with self._lock:
            try:
                target = self if port == "truth" else getattr(self._cluster, port)
                answer = getattr(target, call)(*given, **named)
                return True, at_once(answer) if isinstance(answer, Coroutine) else answer
            except Exception as raised:  # it belongs to the caller, in another process
                return False, raised

    def reset(self) -> None:
        self._cluster = new_cluster()

    def now(self) -> datetime:
        return self._cluster.clock()

    def advance(self, seconds: float) -> datetime:
        return self._cluster.advance(seconds)

    def ask(self) -> Truth:
        cluster = self._cluster
        cluster.catch_up()
        partitions = cluster.partitions.values()
        left = [f"throttle on topic {t}" for t, c in cluster.topic_configs.items() if c]
        left += [f"throttle on broker {b}" for b, c in cluster.broker_configs.items() if c]
        left += [f"reassignment of {p.topic}-{p.partition}" for p in partitions if p.move]
        return Truth(
            accepted_updates=len(cluster.operations),
            replicas={p.key: p.replicas for p in partitions},
            leaderless=sum(1 for p in partitions if p.leader is None),
            left_behind=tuple(left),
        )


def at_once(asked: Coroutine[Any, Any, Any]) -> Any:
    """The fakes never wait, so a coroutine of theirs ends at its first step."""
    try:
        asked.send(None)
    except StopIteration as ended:
        return ended.value
    raise RuntimeError("a fake port waited for something")


class Line:
    """One caller's connection."""

    def __init__(self, address: str) -> None:
        self._connection = Client(address, "AF_UNIX")
        self._lock = threading.Lock()

    def call(self, port: str, call: str, /, *given: Any, **named: Any) -> Any:
        with self._lock:
            self._connection.send((port, call, given, named))
            good, answer = self._connection.recv()
        if good:
            return answer
        raise answer

    def now(self) -> datetime:
        return cast(datetime, self.call("truth", "now"))

    def advance(self, seconds: float) -> None:
        self.call("truth", "advance", seconds)

    def truth(self) -> Truth:
        return cast(Truth, self.call("truth", "ask"))

    def reset(self) -> None:
        self.call("truth", "reset")

    def close(self) -> None:
        self._connection.close()

    def world(self, *, now: datetime, moments: Moments) -> World:
        """The ports as a worker gets them, its effects watched."""
        return World(
            cluster=self.call("ref", "model_copy"),
            msk=cast(Msk, Port("msk", self, moments)),
            kafka=cast(Kafka, Port("kafka", self, moments)),
            metrics=cast(Metrics, Port("metrics", self, moments)),
            now=now,
        )


class Port:
    """Any of the three ports: whatever is called goes over the line."""

    def __init__(self, name: str, line: Line, moments: Moments) -> None:
        self._name = name
        self._line = line
        self._moments = moments

    def __getattr__(self, call: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        async def called(**named: Any) -> Any:
            def whole() -> Any:
                return self._line.call(self._name, call, **named)

            if call not in EFFECTS:
                return self._moments.reading(call, whole)
            part = half_of(named)
            half = part and (lambda: self._line.call(self._name, call, **part))
            return self._moments.passing("worker", call, whole, half=half or None)

        return called


def half_of(named: Mapping[str, Any]) -> dict[str, Any]:
    """The first half of an effect that has parts: what a death in its middle leaves; {} = no parts."""
    halves = {name: first_half(value) for name, value in named.items()}
    return {} if halves == dict(named) else halves


def first_half(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(list(value.items())[: (len(value) + 1) // 2])
    if isinstance(value, list | tuple):
        return value[: (len(value) + 1) // 2]
    return value
