"""The ticker says once that Redis is away, again each minute, and once that it is back."""

from __future__ import annotations

import logging

import pytest

from ledger import connect
from ledger.masking import Masked
from tests.redis_server import free_port
from tests.workers.conftest import Floor
from workers.runtime import log_plainly
from workers.ticker import Silence, beat, queue_sweeps

AWAY = "Redis does not answer."


def test_it_is_said_once_then_each_minute_then_that_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    silence = Silence()
    with caplog.at_level(logging.INFO, logger="workers.ticker"):
        for half_seconds in range(2 * 130):
            silence.noted(AWAY, at=1000 + half_seconds / 2)
        for _ in range(5):
            silence.noted("", at=1130)
    assert caplog.messages == [
        f"nothing can be queued: {AWAY}",
        f"nothing can be queued, for 60 s now: {AWAY}",
        f"nothing can be queued, for 120 s now: {AWAY}",
        "work is queued again, after 130 s",
    ]


def test_the_next_silence_is_said_at_once(caplog: pytest.LogCaptureFixture) -> None:
    silence = Silence()
    for at, why in ((0.0, AWAY), (1.0, ""), (2.0, AWAY)):
        silence.noted(why, at=at)
    warned = [one for one in caplog.messages if one.startswith("nothing can be queued: ")]
    assert len(warned) == 2


def test_a_beat_says_why_it_could_not(floor: Floor) -> None:
    away = connect(f"redis://127.0.0.1:{free_port()}/0")
    assert "does not answer" in beat(away, reconcile=True, now=floor.clock())
    assert "does not answer" in queue_sweeps(away, ["orders-lab"])
    assert beat(floor.ledger, reconcile=True, now=floor.clock()) == ""


def test_the_logs_of_worker_and_ticker_hold_no_secret(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    quiet = logging.getLogger("botocore")
    level_quiet = quiet.level
    try:
        log_plainly({"REDIS_URL": "redis://127.0.0.1:6379/0", "OTTLA_LOG_LEVEL": "INFO"})
        assert all(isinstance(one.formatter, Masked) for one in root.handlers)
        try:
            raise ValueError("redis://user:s3cret@127.0.0.1:6379 and xoxb-12345-abc")
        except ValueError:
            logging.getLogger("rq.worker").exception("a job failed")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        quiet.setLevel(level_quiet)
    said = capsys.readouterr().err
    assert "a job failed" in said
    assert "ValueError" in said
    assert "s3cret" not in said
    assert "12345-abc" not in said
