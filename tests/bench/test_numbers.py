"""How figures become a table, and what the load's reader makes of the workspace's log."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench.ack import Seen
from bench.numbers import Number, as_json, circumstances, percentile, table


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1), (0.0, 1)]
)
def test_a_percentile_is_a_value_that_was_seen(share: float, expected: float) -> None:
    assert percentile([float(one) for one in range(100, 0, -1)], share) == expected


def test_a_missed_target_is_said() -> None:
    found = table([Number("slow", 3, "s", 2), Number("fast", 1.25, "s", 2), Number("any", 7, "")])
    slow, fast, record = (line.split("|") for line in found.splitlines()[2:])
    assert [slow[4].strip(), fast[4].strip(), record[4].strip()] == ["MISSED", "kept", ""]
    assert slow[3].strip() == "≤ 2 s"
    assert record[3].strip() == "–"


def test_programs_read_the_same() -> None:
    (one,) = as_json([Number("slow", 3, "s", 2)])
    assert one == {"story": "slow", "measured": 3, "unit": "s", "target": 2, "kept": False}
    assert "cores, load" in circumstances()


def line(n: int, kind: str, **facts: Any) -> str:
    return json.dumps({"n": n, "at": 1.0, "kind": kind, **facts})


def delivery(n: int, envelope: str, *, seconds: float, status: str = "acked") -> str:
    payload = {"response_url": f"http://x/commands/T/1/{envelope}"}
    facts = {"envelope_id": envelope, "status": status, "seconds": seconds, "payload": payload}
    return line(n, "delivery", type="slash_commands", **facts)


def test_an_acknowledgement_with_words_is_an_answer_and_one_moment_is_none() -> None:
    seen = Seen()
    seen.read(
        "\n".join(
            [
                line(1, "ack", envelope_id="a", payload={"text": "Help"}),
                delivery(2, "a", seconds=0.01),
                line(3, "ack", envelope_id="b", payload={"text": "one moment …"}),
                delivery(4, "b", seconds=0.02),
                line(5, "ack", envelope_id="c", payload=None),
                delivery(6, "c", seconds=0.03),
                delivery(7, "d", seconds=3.0, status="timeout"),
            ]
        )
    )
    assert (seen.seconds, seen.failed, seen.at) == ([0.01, 0.02, 0.03], 1, 7)
    assert seen.unanswered == {"b", "c"}
    seen.read(line(8, "response_url", path="/commands/T/1/b"))
    assert seen.unanswered == {"c"}
