"""Clears what a lab left behind that was killed where the kernel sends no death signal.

The surprising truth: on Linux there is nothing to clear, the children died with their parent. Elsewhere
they may live on, and only a process with the recorded id *and* start time is ours to end.
"""

from __future__ import annotations

import shutil

import psutil

from lab.addresses import LabFolder, read_json

_END_SECONDS_MAX = 5.0
_CREATED_SECONDS_OFF = 1.0


def clear(folder: LabFolder) -> tuple[str, ...]:
    """End old children and wipe the old lab's data; the names of the processes that were ended."""
    ended = end_old_children(folder)
    for path in (folder.kafka, folder.redis, folder.aws, folder.logs, folder.policies):
        shutil.rmtree(path, ignore_errors=True)
    for file in (
        folder.addresses,
        folder.load,
        folder.load_orders,
        folder.load_faults,
        folder.state,
    ):
        file.unlink(missing_ok=True)
    return ended


def end_old_children(folder: LabFolder) -> tuple[str, ...]:
    """SIGKILL what a dead supervisor's last state names and what is still exactly that process."""
    recorded = (read_json(folder.state) or {}).get("children", [])
    ours = [(one["name"], found) for one in recorded if (found := _same_process(one)) is not None]
    for _, process in ours:
        process.kill()
    psutil.wait_procs([process for _, process in ours], timeout=_END_SECONDS_MAX)
    return tuple(name for name, _ in ours)


def _same_process(recorded: dict[str, object]) -> psutil.Process | None:
    pid, created = recorded.get("pid"), recorded.get("created")
    if not isinstance(pid, int) or not isinstance(created, float):
        return None
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - created) < _CREATED_SECONDS_OFF
    except psutil.Error:
        return None
    return process if same else None
