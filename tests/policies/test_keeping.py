"""A running process keeps the last good policies; one that starts with broken files does not start."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from changes.catalog import CATALOG
from policies import KeptPolicies, Problems
from policies.keeping import signature
from workers.runtime import CannotStart, policies_in_force

RULES = Path(__file__).parents[2] / "lab" / "policies"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file in (Path(__file__).parents[2] / "policies").glob("*.yaml"):
        (tmp_path / file.name).write_text(file.read_text())
    return tmp_path


def kept_in(folder: Path) -> KeptPolicies:
    kept = KeptPolicies.start(folder, catalog=CATALOG)
    assert isinstance(kept, KeptPolicies), kept.words()
    return kept


def edit(folder: Path, old: str, new: str) -> Path:
    policies = sorted(set(folder.glob("*.yaml")) - {folder / "alerts.yaml"})
    file = next(f for f in policies if old in f.read_text())
    file.write_text(file.read_text().replace(old, new, 1))
    return file


def test_nothing_is_read_again_without_an_edit(folder: Path) -> None:
    kept = kept_in(folder)
    assert kept.refresh() is kept.refresh()


def test_a_good_edit_counts_at_once(folder: Path) -> None:
    kept = kept_in(folder)
    before = kept.current.digest
    edit(folder, "expires_after_minutes: 480", "expires_after_minutes: 300")
    assert kept.refresh().digest != before
    assert kept.problem == ""


def test_a_broken_edit_keeps_the_last_good_ones_and_says_so_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = kept_in(folder)
    edit(folder, "expires_after_minutes: 480", "expires_after_minutes: 300")
    good = kept.refresh()
    file = edit(folder, "rules:", "rulez:")
    with caplog.at_level(logging.ERROR):
        assert kept.refresh() is good
        assert kept.refresh() is good
    assert len(caplog.records) == 1
    assert file.name in kept.problem
    assert "rulez" in kept.problem
    edit(folder, "rulez:", "rules:")
    assert kept.refresh().digest == good.digest
    assert kept.problem == ""


def test_a_file_nobody_foresaw_does_not_end_the_reading_of_all(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = kept_in(folder)
    before = kept.current
    with monkeypatch.context() as patch:
        patch.setattr("policies.keeping.load", lambda *_, **__: 1 // 0)
        edit(folder, "brokers", "brokers ")
        assert kept.refresh() is before
    assert "could not be read (ZeroDivisionError" in kept.problem
    edit(folder, "brokers ", "brokers")
    kept.refresh()
    assert kept.problem == ""


def test_a_folder_that_vanishes_is_a_broken_edit(folder: Path) -> None:
    kept = kept_in(folder)
    good = kept.current
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    assert kept.refresh() is good
    assert "no such folder" in kept.problem


def test_a_process_does_not_start_with_a_broken_file(folder: Path) -> None:
    edit(folder, "rules:", "rulez:")
    assert isinstance(KeptPolicies.start(folder, catalog=CATALOG), Problems)
    with pytest.raises(CannotStart, match="rulez"):
        policies_in_force(folder)


def test_a_forked_child_begins_with_the_last_good_policies_of_its_parent(folder: Path) -> None:
    good = policies_in_force(folder)
    edit(folder, "rules:", "rulez:")
    child = os.fork()
    if child == 0:
        os._exit(0 if policies_in_force(folder).digest == good.digest else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_new_file_with_the_old_ones_time_and_size_is_an_edit(folder: Path) -> None:
    """As tools write that set every file's time to the same moment."""
    before = signature(folder)
    file = next(iter(sorted(folder.glob("*.yaml"))))
    at = file.stat()
    other = folder / "other"
    other.write_bytes(file.read_bytes())
    os.utime(other, ns=(at.st_atime_ns, at.st_mtime_ns))
    other.replace(file)
    assert signature(folder) != before
