"""Starts `python -m …` many times at the price of one: modules are imported once, each start is a fork.

A start takes a second of imports, and a table of mistakes has dozens of rows. The forked child runs
the module as `__main__` with its own environment and arguments, so all that is shared is the imports.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SECONDS_MAX = 20
WARM = ("bot.app", "bot.settings", "bot.logs", "workers.runtime", "workers.queue_worker", "ledger")


@dataclass(frozen=True)
class Started:
    """How one start ended: what the shell would see."""

    code: int
    said: str


class Starter:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, module: str, *arguments: str, **environ: str) -> Started:
        """Run `python -m module` to its end, or to `SECONDS_MAX`, which counts as −14."""
        case = {"module": module, "arguments": arguments, "environ": environ}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(case) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return Started(code=answer["code"], said=answer["said"])


@contextmanager
def starter() -> Iterator[Starter]:
    command = [sys.executable, "-m", "tests.starting"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Starter(process)
        assert process.stdin is not None
        process.stdin.close()


def serve() -> None:
    for name in WARM:
        importlib.import_module(name)
    for line in sys.stdin:
        case = json.loads(line)
        with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
            child = os.fork()
            if child == 0:
                _become(case, said.fileno())
            _, status = os.waitpid(child, 0)
            said.seek(0)
            answer = {"code": os.waitstatus_to_exitcode(status), "said": said.read()}
        print(json.dumps(answer), flush=True)


def _become(case: dict[str, Any], out: int) -> None:
    """Never returns: the child is that process from here on."""
    signal.alarm(SECONDS_MAX)
    for stream in (1, 2):
        os.dup2(out, stream)
    os.environ.clear()
    os.environ.update({"PATH": os.defpath, **case["environ"]})
    sys.argv = [case["module"], *case["arguments"]]
    code = 0
    try:
        runpy.run_module(case["module"], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = _exit_code(end)
    except BaseException:  # what the interpreter does with an exception nobody caught
        sys.excepthook(*sys.exc_info())
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _exit_code(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1


if __name__ == "__main__":
    serve()
