"""Ways of logging in: what is missing is said before anything is tried."""

from __future__ import annotations

import base64
import ssl
from pathlib import Path

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError

from changes.ports import Unreachable
from cluster import connect, iam
from cluster.connect import (
    BadAuth,
    KafkaAuth,
    bootstrap_of,
    open_kafka,
    open_reading,
    security,
)
from tests.cluster.aws import ARN, REF, stubbed

OFFERED = {
    "BootstrapBrokerStringTls": "b-1:9094,b-2:9094",
    "BootstrapBrokerStringSaslIam": "b-1:9098",
    "BootstrapBrokerStringPublicSaslIam": "b-1-public:9198",
}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"mode": "kerberos"}, "'kerberos' is not known; it is one of plaintext, tls, scram, iam"),
        ({"mode": "scram", "username": "ottla"}, "needs a username and a password"),
        ({"mode": "plaintext", "public": True}, "plaintext has no public addresses"),
        ({"mode": "tls", "key_file": "k.pem"}, "together or not at all"),
    ],
)
def test_a_way_that_cannot_work_is_refused(fields: dict[str, str], words: str) -> None:
    with pytest.raises(BadAuth, match=words):
        KafkaAuth(**fields)  # type: ignore[arg-type] # hostile on purpose


def test_the_password_is_never_shown() -> None:
    assert "geheim" not in repr(KafkaAuth(mode="scram", username="ottla", password="geheim"))


def test_addresses_are_those_of_the_way_of_logging_in() -> None:
    iam_inside, iam_outside = KafkaAuth(mode="iam"), KafkaAuth(mode="iam", public=True)
    assert bootstrap_of(OFFERED, auth=iam_inside, cluster="c") == "b-1:9098"
    assert bootstrap_of(OFFERED, auth=iam_outside, cluster="c") == "b-1-public:9198"
    auth = KafkaAuth(mode="scram", username="u", password="p")
    with pytest.raises(Unreachable, match=r"auth mode scram; it offers tls, iam, iam \(public\)"):
        bootstrap_of(OFFERED, auth=auth, cluster="c")


def test_each_mode_tells_aiokafka_what_it_needs() -> None:
    region = "us-east-1"
    assert security(KafkaAuth(mode="plaintext"), region=region) == {
        "security_protocol": "PLAINTEXT"
    }
    tls = security(KafkaAuth(mode="tls"), region=region)
    assert tls["security_protocol"] == "SSL"
    assert tls["ssl_context"].verify_mode is ssl.CERT_REQUIRED
    scram = security(KafkaAuth(mode="scram", username="u", password="p"), region=region)
    assert (scram["security_protocol"], scram["sasl_mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
    assert (scram["sasl_plain_username"], scram["sasl_plain_password"]) == ("u", "p")


def test_tls_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "ca.pem")
    with pytest.raises(BadAuth, match=r"ca\.pem cannot be used"):
        security(KafkaAuth(mode="tls", ca_file=missing), region="us-east-1")
    (tmp_path / "bad.pem").write_text("not a certificate")
    with pytest.raises(BadAuth, match=r"bad\.pem cannot be used"):
        security(KafkaAuth(mode="tls", ca_file=str(tmp_path / "bad.pem")), region="us-east-1")


class Signer:
    @staticmethod
    def generate_auth_token(region: str) -> tuple[str, int]:
        return f"signed-for-{region}", 900_000


async def test_iam_tokens_are_signed_for_the_region() -> None:
    assert await iam.MskTokens(signer=Signer, region="eu-west-1").token() == "signed-for-eu-west-1"


async def test_aiokafka_takes_the_provider_of_iam_tokens() -> None:
    pytest.importorskip(iam.MODULE)
    told = security(KafkaAuth(mode="iam"), region="us-east-1")
    assert told["sasl_mechanism"] == "OAUTHBEARER"
    await AIOKafkaClient(bootstrap_servers="b-1:9098", **told).close()


async def test_the_real_signer_signs_a_url_of_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(iam.MODULE)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    token = await iam.token_provider(region="eu-west-1").token()
    url = base64.urlsafe_b64decode(token + "==").decode()
    assert url.startswith("https://kafka.eu-west-1.amazonaws.com/?")
    assert "Action=kafka-cluster%3AConnect" in url
    assert "X-Amz-Expires=900" in url


def test_a_missing_signer_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iam, "MODULE", "no_such_signer")
    with pytest.raises(iam.IamExtraMissing, match=r"ottla\[iam\]"):
        security(KafkaAuth(mode="iam"), region="us-east-1")


async def test_brokers_that_do_not_answer_are_named(unused_tcp_port: int) -> None:
    address = f"127.0.0.1:{unused_tcp_port}"
    with pytest.raises(Unreachable, match=f"Kafka of orders-prod by plaintext: .*{address}"):
        async with open_kafka(bootstrap=address, auth=KafkaAuth(mode="plaintext"), ref=REF):
            pass


async def test_reading_is_open_while_everything_is_away_and_says_so_when_asked(
    unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, stubber = stubbed(monkeypatch, "kafka")
    monkeypatch.setattr(connect, "aws_client", lambda *_, **__: client)
    address = f"127.0.0.1:{unused_tcp_port}"
    stubber.add_client_error("get_bootstrap_brokers", "ServiceUnavailableException")
    for _ in range(2):
        answer = {"BootstrapBrokerString": address}
        stubber.add_response("get_bootstrap_brokers", answer, {"ClusterArn": ARN})
    auth = KafkaAuth(mode="plaintext")
    async with open_reading(ref=REF, auth=auth, period_seconds=60) as reading:
        with pytest.raises(Unreachable, match="reading bootstrap brokers of orders-prod"):
            await reading.offsets.scan()
        with pytest.raises(Unreachable, match=f"none of {address} let us in"):
            await reading.offsets.scan()
        with pytest.raises(Unreachable, match=f"none of {address} let us in"):
            await reading.kafka.partitions()
    stubber.assert_no_pending_responses()


async def test_a_signer_that_fails_is_a_cluster_that_cannot_be_reached() -> None:
    """Without credentials it fails with an attribute of None; whoever connects knows Kafka's errors only."""

    class Signer:
        @staticmethod
        def generate_auth_token(region: str) -> tuple[str, int]:
            raise AttributeError(f"'NoneType' object has no attribute 'access_key' ({region})")

    with pytest.raises(KafkaConnectionError, match="AWS gave no token to log in with"):
        await iam.MskTokens(signer=Signer, region="eu-west-1").token()
