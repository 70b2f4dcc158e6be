"""The locked lists: what they hold, and how a mistake in one is said."""

from pathlib import Path

import pytest

from lab.kafka.locked import DEFAULT_VERSION, BadLock, read, versions

GOOD = f"org.example:thing:1.0 {'a' * 64}"


def test_the_default_version_is_locked_with_its_agent_and_tools() -> None:
    jars = read(version=DEFAULT_VERSION)
    names = {jar.artifact for jar in jars}
    assert {"kafka_2.13", "kafka-tools", "kafka-clients", "slf4j-simple"} <= names
    assert [jar.artifact for jar in jars if jar.is_agent] == ["jolokia-agent-jvm"]


@pytest.mark.parametrize("version", versions())
def test_no_jar_is_locked_twice(version: str) -> None:
    names = [(jar.group, jar.artifact, jar.classifier) for jar in read(version=version)]
    assert len(names) == len(set(names))


def test_a_list_survives_being_written_and_read(tmp_path: Path) -> None:
    jars = read(version=DEFAULT_VERSION)
    (tmp_path / "1.2.3.lock").write_text("\n".join(jar.line() for jar in jars))
    assert read(version="1.2.3", folder=tmp_path) == jars


@pytest.mark.parametrize("line", ["org.example:thing 12", GOOD[:-1], f"{GOOD} more", f"../{GOOD}"])
def test_a_line_that_is_no_jar_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "1.2.3.lock").write_text(f"# a comment\n{GOOD}\n{line}\n")
    with pytest.raises(BadLock, match=r"1\.2\.3\.lock, line 3: expected"):
        read(version="1.2.3", folder=tmp_path)


def test_a_version_without_a_list_is_answered_with_those_that_have_one() -> None:
    with pytest.raises(BadLock, match=r"Kafka '9\.9\.9' .* lists for 3\.9\.2, 4\.1\.2"):
        read(version="9.9.9")
