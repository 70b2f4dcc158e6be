"""Only what is surely the old lab's is ended or wiped."""

import subprocess
import sys
from pathlib import Path

import psutil

from lab.addresses import LabFolder, write_json
from lab.leftovers import clear

SLEEPER = (sys.executable, "-c", "import time; time.sleep(600)")


def recorded(process: psutil.Process, *, created_off_seconds: float = 0.0) -> dict[str, object]:
    created = process.create_time() + created_off_seconds
    return {"name": "old", "pid": process.pid, "created": created}


def test_an_old_child_is_ended_and_named(tmp_path: Path) -> None:
    folder = LabFolder(tmp_path)
    with subprocess.Popen(SLEEPER) as old:
        process = psutil.Process(old.pid)
        write_json(folder.state, {"children": [recorded(process)]})
        assert clear(folder) == ("old",)
        assert not process.is_running()


def test_a_stranger_who_got_the_process_id_is_left_alone(tmp_path: Path) -> None:
    folder = LabFolder(tmp_path)
    with subprocess.Popen(SLEEPER) as stranger:
        entry = recorded(psutil.Process(stranger.pid), created_off_seconds=-500.0)
        write_json(folder.state, {"children": [entry]})
        assert clear(folder) == ()
        assert stranger.poll() is None
        stranger.kill()


def test_the_old_labs_files_go_and_others_stay(tmp_path: Path) -> None:
    folder = LabFolder(tmp_path)
    (folder.kafka / "broker-1").mkdir(parents=True)
    folder.addresses.write_text("{}")
    (tmp_path / "notes.txt").write_text("mine")
    clear(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
