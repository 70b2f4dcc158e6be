"""How the process starts, refuses to, checks files and replays: sentences, never a trace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ledger import connect
from tests.redis_server import free_port
from tests.watch.process.tower import Tower
from watch import __main__ as command
from watch.frames import pack
from watch.rounds import Rounds, Wants

ROOT = Path(__file__).parents[3]
CLUSTERS = """
clusters:
  - name: orders-lab
    arn: arn:aws:kafka:us-east-1:123456789012:cluster/orders-lab/0a1b2c3d-1
    region: us-east-1
    environment: lab
    channel: C0LABKAFKA
    auth: {mode: plaintext}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "clusters.yaml").write_text(CLUSTERS)
    return tmp_path


@pytest.fixture(autouse=True)
def _log_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "log_plainly", lambda: None)


def run(*arguments: str, environ: Mapping[str, str]) -> Result:
    empty = dict.fromkeys(("REDIS_URL", "OTTLA_POLICIES", "OTTLA_SETTINGS"))
    found = CliRunner().invoke(command.main, list(arguments), env={**empty, **environ})
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found


# check


def test_check_says_what_is_fine(folder: Path) -> None:
    found = run("check", str(folder), environ={})
    assert found.exit_code == 0
    assert found.output.startswith("OK: ")
    assert run("check", environ={"OTTLA_POLICIES": str(folder)}).output == found.output
    assert run("check", str(ROOT / "policies"), environ={}).exit_code == 0


def test_check_names_every_mistake(folder: Path) -> None:
    (folder / "alerts.yaml").write_text(
        "defaults:\n  rules:\n    consumer_lagg: {}\n    disk_full: {warn_percent: x}\n"
    )
    found = run("check", str(folder / "alerts.yaml"), environ={})
    assert found.exit_code == 1
    assert "alerts.yaml:3:5: `defaults.rules.consumer_lagg` is not known" in found.output
    assert "(did you mean `consumer_lag`?)" in found.output
    assert "alerts.yaml:4:31: `defaults.rules.disk_full.warn_percent` must be" in found.output


# Starting


def test_a_setting_that_is_missing_is_named(folder: Path) -> None:
    found = run(environ={"OTTLA_POLICIES": str(folder)})
    assert found.exit_code == 1
    assert "The watch does not start: " in found.output
    assert "REDIS_URL" in found.output


def test_redis_away_or_without_a_password_is_a_sentence(folder: Path) -> None:
    away = f"redis://127.0.0.1:{free_port()}/0"
    found = run(environ={"OTTLA_POLICIES": str(folder), "REDIS_URL": away})
    assert found.exit_code == 1
    assert "does not answer" in found.output
    far = run(environ={"OTTLA_POLICIES": str(folder), "REDIS_URL": "redis://redis.example/0"})
    assert far.exit_code == 1
    assert "no password" in far.output


def test_broken_files_are_refused_with_their_place(folder: Path) -> None:
    (folder / "alerts.yaml").write_text("defaults: {scan_seconds: often}")
    found = run(environ={"OTTLA_POLICIES": str(folder), "REDIS_URL": "redis://127.0.0.1/0"})
    assert found.exit_code == 1
    assert "alerts.yaml:1:26:" in found.output


def test_a_missing_login_is_named_by_its_variable(folder: Path) -> None:
    scram = "{mode: scram, username_env: ORDERS_USER, password_env: ORDERS_PASSWORD}"
    (folder / "clusters.yaml").write_text(CLUSTERS.replace("{mode: plaintext}", scram))
    found = run(environ={"OTTLA_POLICIES": str(folder), "REDIS_URL": "redis://127.0.0.1/0"})
    assert found.exit_code == 1
    assert "ORDERS_USER is not set in the environment" in found.output


@pytest.mark.slow
def test_a_cluster_that_is_away_is_no_reason_not_to_start(folder: Path, redis_url: str) -> None:
    """AWS nowhere, Kafka nowhere: it starts, says that it is blind, and stops when told to."""
    (folder / "alerts.yaml").write_text("defaults: {scan_seconds: 1}")
    environ = {
        **os.environ,
        "OTTLA_POLICIES": str(folder),
        "REDIS_URL": redis_url,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}",
        "AWS_ACCESS_KEY_ID": "lab",
        "AWS_SECRET_ACCESS_KEY": "lab",
        "AWS_MAX_ATTEMPTS": "1",
    }
    process = subprocess.Popen([sys.executable, "-m", "watch"], cwd=ROOT, env=environ)
    ledger = connect(redis_url)
    try:
        deadline = time.monotonic() + 40
        while (view := ledger.view("orders-lab")) is None and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.2)
        assert view is not None
        assert view.blind
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert ledger.claim("watch:orders-lab", seconds=1), "it gave its lease back"
    finally:
        process.kill()
        process.wait()
        ledger.close()


# replay


@pytest.fixture
async def recorded(folder: Path, redis_url: str) -> Mapping[str, str]:
    """Half an hour of looks in the ledger: ten minutes in, the consumers are gone for ten."""
    tower = Tower()
    ledger = connect(redis_url, clock=tower.clock)
    tower.set_clock(time.time() - 1920 - tower.clock().timestamp())
    rounds = Rounds(cluster=tower.cluster.ref, open_ports=tower.open, metrics_period_seconds=60)
    wants = Wants(scan_seconds=30, watched=lambda _: True, ladder=(300.0, 150.0))
    for minute in range(60):
        if minute == 20:
            tower.leave()
        if minute == 40:
            tower.come_back()
        tower.pass_time(30, reading=True)
        seen = await rounds.look(now=tower.clock(), mono=tower.mono, wants=wants)
        ledger.keep_frame("orders-lab", pack(seen), at=seen.at)
    await rounds.close()
    ledger.close()
    return {"OTTLA_POLICIES": str(folder), "REDIS_URL": redis_url}


def test_replay_says_what_would_have_been_posted_and_writes_nothing(
    recorded: Mapping[str, str], folder: Path
) -> None:
    ledger = connect(recorded["REDIS_URL"])
    before = sorted(ledger._redis.keys())
    found = run("replay", "--cluster", "orders-lab", "--json", environ=recorded)
    assert found.exit_code == 0, found.output
    told = json.loads(found.output)
    assert told["looks"] == 60
    kinds = [one["kind"] for one in told["told"] if one["kind"] != "quiet"]
    assert kinds == ["opened", "over"]
    assert "payments" in told["told"][0]["text"]
    tighter = folder / "try.yaml"
    tighter.write_text("defaults: {rules: {consumer_lag: {enabled: false}}}")
    other = run("replay", "--cluster", "orders-lab", "--alerts", str(tighter), environ=recorded)
    assert "Nothing would have been posted." in other.output
    tighter.write_text("defaults: {groups: {exclude: ['payments']}}")
    other = run("replay", "--cluster", "orders-lab", "--alerts", str(tighter), environ=recorded)
    assert "Nothing would have been posted." in other.output
    assert sorted(ledger._redis.keys()) == before
    ledger.close()


def test_replay_says_from_when_the_record_goes_and_what_is_missing(
    recorded: Mapping[str, str],
) -> None:
    found = run("replay", "--cluster", "orders-lab", "--since", "10m", environ=recorded)
    assert "looks from" in found.output
    assert "could not judge" in found.output
    none = run("replay", "--cluster", "orders-lab", "--since", "1m", environ=recorded)
    assert "There is no record of orders-lab to replay." in none.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--cluster", "order-lab"), "no cluster order-lab (did you mean `orders-lab`?)"),
        (("--cluster", "orders-lab", "--since", "soon"), "write 90m, 24h or 1d"),
        (("--cluster", "orders-lab", "--alerts", "none.yaml"), "none.yaml: there is no such file"),
    ],
)
def test_replay_refuses_in_words(
    folder: Path, redis_url: str, arguments: tuple[str, ...], words: str
) -> None:
    environ = {"OTTLA_POLICIES": str(folder), "REDIS_URL": redis_url}
    found = run("replay", *arguments, environ=environ)
    assert found.exit_code == 1
    assert words in found.output
