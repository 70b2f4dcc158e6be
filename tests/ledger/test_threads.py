"""From a thread to its request, in as few commands to Redis as it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from redis import Redis

from ledger import Card, Ledger, keys
from tests.ledger.conftest import Opens

PLACE = {"channel": "C-KAFKA", "ts": "1700000000.000100"}
ELSEWHERE = {"channel": "C-OTHER", "ts": "1700000000.000900"}
BODIES = ("hgetall", "hmget", "hget")


@contextmanager
def counted(redis: Redis) -> Iterator[Counter[str]]:
    """Commands the server carried out meanwhile, by its own count."""
    redis.config_resetstat()
    found: Counter[str] = Counter()
    yield found
    stats: dict[str, dict[str, Any]] = redis.info("commandstats")
    for name, about in stats.items():
        found[name.removeprefix("cmdstat_").partition("|")[0]] += about["calls"]


@pytest.fixture
def many(ledger: Ledger, opens: Opens) -> tuple[str, ...]:
    """Two hundred requests with a card each, as a busy channel has them."""
    ids = []
    for number in range(200):
        request = opens()
        card = Card(channel="C-KAFKA", ts=f"1600000000.{number:06}", drawn_version=request.version)
        assert ledger.save_card(request.id, card, expected=None)
        ids.append(request.id)
    return tuple(ids)


def test_a_card_is_found_by_its_place_in_two_reads(
    ledger: Ledger, redis: Redis, many: tuple[str, ...]
) -> None:
    with counted(redis) as seen:
        assert ledger.request_at(channel="C-KAFKA", ts="1600000000.000007") == many[7]
    assert seen["get"] == 2
    assert not any(seen[name] for name in (*BODIES, "mget", "zrevrange"))


def test_a_thread_of_peoples_own_costs_one_read(
    ledger: Ledger, redis: Redis, many: tuple[str, ...]
) -> None:
    assert many
    with counted(redis) as seen:
        assert ledger.request_at(**PLACE) is None
    assert seen["get"] == 1
    assert not any(seen[name] for name in (*BODIES, "mget", "zrevrange"))


def test_a_card_of_an_older_ottla_is_found_without_reading_a_request(
    ledger: Ledger, redis: Redis, many: tuple[str, ...]
) -> None:
    assert redis.delete(keys.card_at("C-KAFKA", "1600000000.000007")) == 1
    assert ledger.request_at(channel="C-KAFKA", ts="1600000000.000007") is None
    with counted(redis) as seen:
        found = ledger.request_at_unindexed(channel="C-KAFKA", ts="1600000000.000007")
    assert found == many[7]
    assert (seen["zrevrange"], seen["mget"]) == (1, 1)
    assert not any(seen[name] for name in (*BODIES, "get"))


def test_its_next_save_puts_an_older_card_into_the_index(ledger: Ledger, opens: Opens) -> None:
    request, card = opens(), Card(**PLACE)
    ledger.save_card(request.id, card, expected=None)
    ledger._redis.delete(keys.card_at(**PLACE))
    ledger.save_card(request.id, card.with_(lines_posted=1), expected=card)
    assert ledger.request_at(**PLACE) == request.id


def test_index_and_card_are_stored_in_one_or_not_at_all(ledger: Ledger, opens: Opens) -> None:
    request = opens()
    assert ledger.save_card(request.id, Card(**PLACE), expected=None)
    assert not ledger.save_card(request.id, Card(**ELSEWHERE), expected=None)
    assert ledger.request_at(**ELSEWHERE) is None
    assert ledger.request_at(**PLACE) == request.id


def test_the_thread_of_a_card_that_is_gone_is_nobodys(ledger: Ledger, opens: Opens) -> None:
    """It was deleted in Slack and posted anew; a word below the old one belongs to no card."""
    request, card = opens(), Card(**PLACE)
    ledger.save_card(request.id, card, expected=None)
    gone = card.with_(ts="")
    assert ledger.save_card(request.id, gone, expected=card)
    assert ledger.request_at(**PLACE) is None
    assert ledger.request_at(channel="C-KAFKA", ts="") is None
    assert ledger.request_at_unindexed(channel="C-KAFKA", ts="") is None
    assert ledger.save_card(request.id, gone.with_(**ELSEWHERE), expected=gone)
    assert ledger.request_at(**ELSEWHERE) == request.id


def test_the_index_leaves_with_its_card(ledger: Ledger, redis: Redis, opens: Opens) -> None:
    request = opens()
    ledger.save_card(request.id, Card(**PLACE), expected=None)
    lives = [redis.ttl(keys.card(request.id)), redis.ttl(keys.card_at(**PLACE))]
    assert all(abs(int(one) - 400 * 86_400) < 60 for one in lives), lives


def test_an_empty_ledger_has_no_threads(ledger: Ledger) -> None:
    assert ledger.request_at(**PLACE) is None
    assert ledger.request_at_unindexed(**PLACE) is None
