"""Ottla's processes as an operator starts them, with what each of them said."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass
class Crew:
    """Processes by name; each writes to a file of its own."""

    folder: Path
    environ: Mapping[str, str]

    @contextmanager
    def running(self, name: str, *arguments: str, **environ: str) -> Iterator[Path]:
        log = self.folder / f"{name}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], **self.environ, **environ},
                stdout=file,
                stderr=subprocess.STDOUT,
            )
            try:
                yield log
            finally:
                process.terminate()
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def said(self) -> dict[str, str]:
        return {log.stem: log.read_text() for log in sorted(self.folder.glob("*.log"))}


def until(look: Callable[[], object], *, what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, f"did not come true: {what}"
        time.sleep(0.1)


def ended(*arguments: str, folder: Path = ROOT, environ: Mapping[str, str]) -> tuple[int, str]:
    """A process that ends by itself: its exit code and all it said."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
