"""Children: told by name when they die unasked, and never outliving their parent."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from lab.children import Children

SLEEPER = (sys.executable, "-c", "import time; time.sleep(600)")
PARENT = """
import asyncio, sys
from pathlib import Path
from lab.children import Children

async def main():
    children = Children(logs=Path(sys.argv[1]), tell=print, changed=lambda: None)
    sleeper = (sys.executable, "-c", "import time; time.sleep(600)")
    # A thread of its own has started and ended something before: the children must not depend on it.
    await asyncio.to_thread(print, end="")
    started = [await children.start(name=f"sleeper-{n}", command=sleeper) for n in range(3)]
    print(*(child.pid for child in started), flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
async def children(tmp_path: Path, told: list[str]) -> AsyncIterator[Children]:
    children = Children(logs=tmp_path / "logs", tell=told.append, changed=lambda: None)
    yield children
    await children.close()


async def until(condition: object, *, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]  # a lambda of the test
        assert time.monotonic() < deadline, "it did not come true"
        await asyncio.sleep(0.02)


async def test_a_child_that_dies_unasked_is_said_by_name(
    children: Children, told: list[str]
) -> None:
    child = await children.start(name="mayfly", command=(sys.executable, "-c", "exit(3)"))
    await until(lambda: told)
    assert "mayfly died unasked (exit status 3)" in told[0]
    assert str(child.log) in told[0]


async def test_a_child_that_is_stopped_dies_in_silence(children: Children, told: list[str]) -> None:
    child = await children.start(name="sleeper", command=SLEEPER)
    await children.stop(child, seconds_max=5)
    await asyncio.sleep(0.05)
    assert (told, child.alive, child.pid) == ([], False, None)


async def test_a_child_deaf_to_sigterm_is_killed_and_that_is_said(
    children: Children, told: list[str]
) -> None:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
    child = await children.start(name="deaf", command=(sys.executable, "-c", deaf))
    await until(lambda: child.log.read_text())
    await children.stop(child, seconds_max=0.2)
    assert not child.alive
    assert told == ["deaf did not stop within 0 s and is killed"]


async def test_a_child_that_respawns_comes_back(children: Children, told: list[str]) -> None:
    child = await children.start(name="phoenix", command=SLEEPER, respawns=True)
    child.respawn_seconds = 0.05
    first = child.pid
    assert first is not None
    psutil.Process(first).kill()
    await until(lambda: child.alive and child.pid != first)
    assert told[1] == "phoenix is started again"
    assert child.ends_unexpected == 1


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
def test_children_die_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        started = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert len(started) == 3
        assert all(process.is_running() for process in started)
        parent.kill()
        _, alive = psutil.wait_procs(started, timeout=5)
    assert alive == []
