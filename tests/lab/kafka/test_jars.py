"""No jar is used whose bytes are not the locked ones."""

import hashlib
import threading
from pathlib import Path

import pytest

from lab.kafka import jars
from lab.kafka.locked import LockedJar

THING = LockedJar("org.example", "thing", "1.0", "", hashlib.sha256(b"right").hexdigest())
AGENT = LockedJar("org.example", "spy", "2.0", "javaagent", hashlib.sha256(b"spy").hexdigest())
CONTENTS = {"thing": b"right", "spy": b"spy"}


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands in for the network, and remembers what was asked of it."""
    asked: list[str] = []

    def fetch(jar: LockedJar, folder: Path) -> Path:
        asked.append(jar.filename)
        path = folder / jar.filename
        path.write_bytes(CONTENTS[jar.artifact])
        return path

    monkeypatch.setattr(jars, "_fetch", fetch)
    monkeypatch.setattr(jars, "read", lambda *, version: (THING, AGENT) if version else ())
    monkeypatch.delenv("KAFKA_HOME", raising=False)
    return asked


def test_jars_are_fetched_once_and_the_agent_stays_off_the_class_path(
    tmp_path: Path, fetched: list[str]
) -> None:
    first = jars.provide(version="1.0.0", cache=tmp_path)
    assert jars.provide(version="1.0.0", cache=tmp_path) == first
    assert sorted(fetched) == ["spy-2.0-javaagent.jar", "thing-1.0.jar"]
    assert [path.name for path in first.folder.iterdir()] == ["thing-1.0.jar"]
    assert first.agent.read_bytes() == b"spy"


def test_a_wrong_download_is_refused_by_name_and_leaves_nothing(
    tmp_path: Path, fetched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CONTENTS, "thing", b"evil")
    with pytest.raises(jars.BadJar, match=r"thing-1\.0\.jar: the downloaded jar has SHA-256"):
        jars.provide(version="1.0.0", cache=tmp_path)
    assert not list(tmp_path.rglob("thing*.jar"))
    assert "thing-1.0.jar" in fetched


def test_a_jar_that_was_changed_in_the_cache_is_fetched_again(
    tmp_path: Path, fetched: list[str]
) -> None:
    folder = jars.provide(version="1.0.0", cache=tmp_path).folder
    (folder / "thing-1.0.jar").write_bytes(b"evil")
    jars.provide(version="1.0.0", cache=tmp_path)
    assert (folder / "thing-1.0.jar").read_bytes() == b"right"
    assert fetched.count("thing-1.0.jar") == 2


def test_a_start_that_is_not_wanted_any_more_fetches_nothing(
    tmp_path: Path, fetched: list[str]
) -> None:
    unwanted = threading.Event()
    unwanted.set()
    jars.provide(version="1.0.0", cache=tmp_path, unwanted=unwanted)
    assert fetched == []


def test_a_kafka_of_ones_own_is_used_with_the_locked_agent(
    tmp_path: Path, fetched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    libs = tmp_path / "kafka" / "libs"
    libs.mkdir(parents=True)
    (libs / "kafka-clients-4.1.2.jar").touch()
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path / "kafka"))
    assert jars.provide(version="1.0.0", cache=tmp_path / "cache").folder == libs
    assert fetched == ["spy-2.0-javaagent.jar"]


def test_a_kafka_home_without_kafka_is_said(
    tmp_path: Path, fetched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    with pytest.raises(jars.BadJar, match=r"KAFKA_HOME is .* holds no kafka-clients jar"):
        jars.provide(version="1.0.0", cache=tmp_path / "cache")
    assert fetched == []
