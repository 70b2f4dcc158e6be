"""Connections: shared, bounded, and made without storms."""

from __future__ import annotations

import asyncio
import itertools
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, NodeNotReadyError, RequestTimedOutError

from changes.ports import Unreachable
from cluster import links
from cluster.links import QUIET_SECONDS_MAX, Lane, Links
from tests.fakes.clock import FakeClock


class Network:
    """Stands in for aiokafka's dialling; ports are broker ids."""

    def __init__(self) -> None:
        self.dialled: list[int] = []
        self.closed: list[int] = []
        self.hanging: set[int] = set()
        """Ports where nobody picks up."""
        self.refusing: set[int] = set()
        self.deaf: set[int] = set()
        """Ports that take requests and never answer."""
        self.release = asyncio.Event()

    async def dial(self, host: str, port: int, **kwargs: Any) -> Any:
        del host, kwargs
        self.dialled.append(port)
        await asyncio.sleep(0)
        if port in self.refusing:
            raise KafkaConnectionError("refused")
        if port in self.hanging:
            await self.release.wait()
        return Connection(self, port)


class Connection:
    def __init__(self, network: Network, port: int) -> None:
        self._network = network
        self._port = port
        self._up = True

    def connected(self) -> bool:
        return self._up

    async def send(self, request: object) -> object:
        if self._port in self._network.deaf:
            await asyncio.Event().wait()
        if not isinstance(request, str):  # the metadata request
            brokers = [(one, "127.0.0.1", one, None) for one in (1, 2, 3)]
            return SimpleNamespace(brokers=brokers, topics=[], controller_id=1, API_VERSION=1)
        return f"{self._port} says {request}"

    def close(self) -> asyncio.Future[None]:
        if self._up:
            self._network.closed.append(self._port)
        self._up = False
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    made = Network()
    monkeypatch.setattr(links, "create_conn", made.dial)
    return made


def links_of(addresses: str = "127.0.0.1:1", *, clock: FakeClock | None = None) -> Links:
    async def found() -> str:
        return addresses

    told = clock or FakeClock()
    return Links(
        addresses=found,
        name="orders-prod",
        security={},
        clock=lambda: told().timestamp(),
    )


async def opened(network: Network, **more: Any) -> Links:
    made = links_of(**more)
    await made.bootstrap()
    network.dialled.clear()
    network.closed.clear()
    return made


async def test_many_askers_share_one_connection_of_each_lane(network: Network) -> None:
    made = await opened(network)
    lanes = [Lane.DEFAULT, Lane.COORDINATOR] * 5
    answers = await asyncio.gather(*(made.send(2, "hello", lane=lane) for lane in lanes))
    assert set(answers) == {"2 says hello"}
    assert network.dialled == [2, 2]
    await made.close()
    assert network.closed == [2, 2]


async def test_a_broker_that_does_not_pick_up_holds_up_no_other(network: Network) -> None:
    made = await opened(network)
    network.hanging.add(1)
    slow = asyncio.create_task(made.send(1, "hello", seconds_max=0.05))
    assert await made.send(2, "hello") == "2 says hello"
    with pytest.raises(NodeNotReadyError, match=r"no connection within 0\.05 s"):
        await slow
    network.release.set()
    await asyncio.sleep(0.01)
    assert await made.send(1, "hello", seconds_max=0.05) == "1 says hello"
    assert sorted(network.dialled) == [1, 2], "the dial went on when its asker had gone"
    await made.close()


async def test_a_connection_without_answer_is_given_up(network: Network) -> None:
    made = await opened(network)
    network.deaf.add(1)
    with pytest.raises(RequestTimedOutError, match=r"no answer within 0\.01 s"):
        await made.send(1, "hello", seconds_max=0.01)
    assert network.closed == [1]
    network.deaf.clear()
    assert await made.send(1, "hello") == "1 says hello"
    await made.close()


async def test_a_broker_that_refuses_is_left_in_peace_ever_longer(network: Network) -> None:
    clock = FakeClock()
    made = await opened(network, clock=clock)
    network.refusing.add(3)
    tried: list[int] = []
    for second in range(120):
        with pytest.raises(NodeNotReadyError, match=r"no connection to it: .*refused"):
            await made.send(3, "hello")
        if len(network.dialled) > len(tried):
            tried.append(second)
        clock.advance(1)
    assert len(tried) <= 15
    assert max(b - a for a, b in itertools.pairwise(tried)) <= QUIET_SECONDS_MAX * 1.1 + 1
    network.refusing.clear()
    clock.advance(QUIET_SECONDS_MAX * 1.1)
    assert await made.send(3, "hello") == "3 says hello"
    await made.close()


async def test_a_broker_that_metadata_does_not_name_is_not_dialled(network: Network) -> None:
    made = await opened(network)
    with pytest.raises(NodeNotReadyError, match="does not name it"):
        await made.send(9, "hello")
    assert network.dialled == []


async def test_the_first_address_that_answers_is_enough(network: Network) -> None:
    network.refusing.add(1)
    made = links_of("127.0.0.1:1,127.0.0.1:2,127.0.0.1:3")
    await asyncio.gather(*(made.bootstrap() for _ in range(5)))
    assert len(network.dialled) == len(set(network.dialled)), "five askers, one search"
    assert network.closed == network.dialled[-1:]
    assert network.closed != [1]
    assert made.broker_ids() == (1, 2, 3)


async def test_no_address_that_answers_is_said(network: Network) -> None:
    network.refusing |= {1, 2}
    with pytest.raises(Unreachable, match=r"none of 127\.0\.0\.1:1,127\.0\.0\.1:2 let us in"):
        await links_of("127.0.0.1:1,127.0.0.1:2").bootstrap()
    network.hanging.add(3)
    with pytest.raises(Unreachable, match="let us in"):
        await links_of("127.0.0.1:3").bootstrap(seconds_max=0.02)


async def test_closing_ends_dials_under_way(network: Network) -> None:
    made = await opened(network)
    network.hanging.add(1)
    with pytest.raises(NodeNotReadyError):
        await made.send(1, "hello", seconds_max=0.01)
    await asyncio.wait_for(made.close(), 1)
