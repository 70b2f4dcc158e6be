"""One Redis and one cluster process for the folder; the table at the end of the run.

With several test processes each has its own of both, and hands its rows of the table to the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.faults.far_cluster import FarCluster
from tests.faults.judging import ROWS, Ending, Row, table
from tests.faults.life import Shop, lab_policies
from tests.faults.moments import Passed
from tests.faults.playing import FORK, new_day, play_faultless
from tests.redis_server import redis_server, redis_url

__all__ = ["redis_server", "redis_url"]


HANDED_OVER = "ottla_faults"


def pytest_sessionfinish(session: pytest.Session) -> None:
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output[HANDED_OVER] = [asdict(row) for row in ROWS]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """One of xdist's processes has ended. One that crashed hands nothing over, and fails the run."""
    output = getattr(node, "workeroutput", None) or {}
    ROWS.extend(Row(**fields) for fields in output.get(HANDED_OVER, ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if ROWS:
        terminalreporter.section("faults")
        for line in table(sorted(ROWS, key=lambda row: row.group)):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def cluster_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    address = str(tmp_path_factory.mktemp("cluster") / "socket")
    ready = FORK.Event()
    server = FORK.Process(target=FarCluster().serve, args=(address, ready), daemon=True)
    server.start()
    assert ready.wait(10), "the cluster's process does not start"
    yield address
    server.kill()
    server.join()
    server.close()


@pytest.fixture
def shop(redis_server: str, cluster_address: str, tmp_path: Path) -> Shop:
    found = Shop(redis_server, cluster_address, lab_policies(tmp_path))
    new_day(found)
    return found


@pytest.fixture(scope="session")
def faultless_run(
    redis_server: str, cluster_address: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Passed], Ending]:
    rules = tmp_path_factory.mktemp("policies")
    return play_faultless(Shop(redis_server, cluster_address, lab_policies(rules)))


@pytest.fixture
def faultless(
    faultless_run: tuple[list[Passed], Ending], shop: Shop
) -> tuple[list[Passed], Ending]:
    """The run without a fault: every effect by name, and how it ends."""
    new_day(shop)
    return faultless_run
