"""Ports, the folder's lock, and files that are never half written."""

import socket
from pathlib import Path

import pytest

from lab.addresses import (
    HOST,
    FolderRefused,
    LabFolder,
    NoFreePort,
    Ports,
    is_alive,
    is_free,
    read_json,
    sole_owner,
    write_json,
)


def test_a_port_in_use_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free(port)
        assert Ports().take_first_from(port) > port


def test_no_port_is_given_twice() -> None:
    ports = Ports()
    given = [ports.take() for _ in range(50)]
    assert len(set(given)) == 50


def test_the_end_of_all_ports_is_said() -> None:
    ports = Ports()
    if is_free(65_535):
        ports.take_first_from(65_535)
    with pytest.raises(NoFreePort, match="no free port from 65535 on"):
        ports.take_first_from(65_535)


def test_a_folder_is_alive_exactly_while_it_is_held(tmp_path: Path) -> None:
    folder = LabFolder(tmp_path / "lab")
    assert not is_alive(folder)
    with sole_owner(folder):
        assert is_alive(folder)
    assert not is_alive(folder)


def test_a_second_owner_is_told_the_first_ones_process_and_page(tmp_path: Path) -> None:
    folder = LabFolder(tmp_path / "lab")
    with sole_owner(folder):
        write_json(folder.state, {"pid": 4711})
        write_json(folder.addresses, {"slack_page": "http://127.0.0.1:8930/"})
        with (
            pytest.raises(FolderRefused, match=r"process 4711, its page is http://127.*8930/"),
            sole_owner(folder),
        ):
            pass


def test_a_folder_with_other_peoples_files_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years")
    with (
        pytest.raises(FolderRefused, match="files that are not a lab's"),
        sole_owner(LabFolder(tmp_path)),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_addresses_are_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "lab.json"
    write_json(path, {"ready": True})
    assert read_json(path) == {"ready": True}
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"'])
def test_a_file_that_is_no_json_object_reads_as_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "lab.json"
    path.write_text(text)
    assert read_json(path) is None
