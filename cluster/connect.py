"""Opens one cluster's ports, for one piece of work or for looking at it for hours, and closes them.

The surprising truth: a Kafka cluster is reached by asking AWS first. MSK names its bootstrap brokers
by way of authentication, so a wrong mode shows as an address that is not there, and is said so.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from changes.facts import ClusterRef
from changes.lag import Offsets
from changes.ports import Json, KafkaReading, Metrics, MskReading, Unreachable, World
from cluster.aws import aws_client
from cluster.iam import token_provider
from cluster.kafka import KafkaByWire
from cluster.lag_scan import LagScanner
from cluster.links import Links
from cluster.metrics import MetricsByBoto
from cluster.msk import MskByBoto
from cluster.wire import Wire

CONNECT_MS_MAX = 8_000
"""For a connection and for each answer; below the wire's bound, so that the others still get theirs."""
BOOTSTRAP_SECONDS_MAX = 30
REFRESH_MS = 3_600_000
"""Metadata is asked for when it is needed, never in the background."""
ADDRESSES = {
    ("plaintext", False): "BootstrapBrokerString",
    ("tls", False): "BootstrapBrokerStringTls",
    ("scram", False): "BootstrapBrokerStringSaslScram",
    ("iam", False): "BootstrapBrokerStringSaslIam",
    ("tls", True): "BootstrapBrokerStringPublicTls",
    ("scram", True): "BootstrapBrokerStringPublicSaslScram",
    ("iam", True): "BootstrapBrokerStringPublicSaslIam",
}
MODES = ("plaintext", "tls", "scram", "iam")


class BadAuth(ValueError):
    """How to log in was described in a way that cannot work; the sentence says what is missing."""


@dataclass(frozen=True)
class KafkaAuth:
    """How Kafka is reached. `certificate_file` and `key_file` are for mutual TLS, `ca_file` for an
    authority that this machine does not trust by itself; MSK's it does."""

    mode: str = "iam"
    public: bool = False
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise BadAuth(f"auth mode {self.mode!r} is not known; it is one of {', '.join(MODES)}")
        if self.mode == "plaintext" and self.public:
            raise BadAuth("auth mode plaintext has no public addresses: MSK offers none")
        if self.mode == "scram" and not (self.username and self.password):
            raise BadAuth("auth mode scram needs a username and a password")
        if bool(self.certificate_file) != bool(self.key_file):
            raise BadAuth("a client certificate and its key are given together or not at all")


@asynccontextmanager
async def open_world(
    *,
    ref: ClusterRef,
    auth: KafkaAuth,
    period_seconds: int,
    now: datetime,
    memory: Mapping[str, Json] | None = None,
) -> AsyncIterator[World]:
    """The ports of one cluster; every connection is closed at the end."""
    kafka_api = await asyncio.to_thread(aws_client, "kafka", region=ref.region)
    cloudwatch = await asyncio.to_thread(aws_client, "cloudwatch", region=ref.region)
    try:
        msk = MskByBoto(client=kafka_api, cluster=ref)
        addresses = bootstrap_of(await msk.bootstrap_brokers(), auth=auth, cluster=ref.name)
        async with open_kafka(bootstrap=addresses, auth=auth, ref=ref) as kafka:
            yield World(
                cluster=ref,
                msk=msk,
                kafka=kafka,
                metrics=MetricsByBoto(
                    client=cloudwatch, cluster=ref, period_seconds=period_seconds
                ),
                now=now,
                memory=dict(memory or {}),
            )
    finally:
        await asyncio.to_thread(kafka_api.close)
        await asyncio.to_thread(cloudwatch.close)


@dataclass(frozen=True)
class Reading:
    """The reading halves of one cluster's ports, kept open for as long as somebody looks."""

    msk: MskReading
    kafka: KafkaReading
    metrics: Metrics
    offsets: Offsets


@asynccontextmanager
async def open_reading(
    *,
    ref: ClusterRef,
    auth: KafkaAuth,
    period_seconds: int,
    wanted: Callable[[str], bool] = lambda _: True,
) -> AsyncIterator[Reading]:
    """Ports to look through for hours. Nothing is reached before it is asked for, so a cluster that
    is away raises `Unreachable` from what is asked, not from here. `wanted` says of which consumer
    groups the lag is read, by name."""
    kafka_api = await asyncio.to_thread(aws_client, "kafka", region=ref.region)
    cloudwatch = await asyncio.to_thread(aws_client, "cloudwatch", region=ref.region)
    msk = MskByBoto(client=kafka_api, cluster=ref)

    async def addresses() -> str:
        return bootstrap_of(await msk.bootstrap_brokers(), auth=auth, cluster=ref.name)

    links = Links(addresses=addresses, name=ref.name, security=security(auth, region=ref.region))
    try:
        yield Reading(
            msk=msk,
            kafka=KafkaByWire(wire=Wire(client=links, cluster=ref.name), cluster=ref.name),
            metrics=MetricsByBoto(client=cloudwatch, cluster=ref, period_seconds=period_seconds),
            offsets=LagScanner(links=links, cluster=ref.name, wanted=wanted),
        )
    finally:
        await links.close()
        await asyncio.to_thread(kafka_api.close)
        await asyncio.to_thread(cloudwatch.close)


@asynccontextmanager
async def open_kafka(
    *, bootstrap: str, auth: KafkaAuth, ref: ClusterRef
) -> AsyncIterator[KafkaByWire]:
    """The Kafka port alone, over the brokers named."""
    client = AIOKafkaClient(
        bootstrap_servers=bootstrap,
        client_id="ottla",
        request_timeout_ms=CONNECT_MS_MAX,
        metadata_max_age_ms=REFRESH_MS,
        **security(auth, region=ref.region),
    )
    try:
        try:
            async with asyncio.timeout(BOOTSTRAP_SECONDS_MAX):
                await client.bootstrap()
        except (KafkaError, TimeoutError) as error:
            raise Unreachable(
                f"connecting to Kafka of {ref.name} by {auth.mode}: none of {bootstrap} let us in; "
                "the log says why for each"
            ) from error
        yield KafkaByWire(wire=Wire(client=client, cluster=ref.name), cluster=ref.name)
    finally:
        await client.close()


def bootstrap_of(addresses: Mapping[str, str], *, auth: KafkaAuth, cluster: str) -> str:
    """The addresses for this way of logging in; when there are none, which ways there are."""
    found = addresses.get(ADDRESSES[auth.mode, auth.public])
    if found:
        return found
    offered = [
        f"{mode} (public)" if public else mode
        for (mode, public), key in ADDRESSES.items()
        if key in addresses
    ]
    wanted = f"{auth.mode} (public)" if auth.public else auth.mode
    raise Unreachable(
        f"connecting to Kafka of {cluster}: MSK has no addresses for auth mode {wanted}; "
        f"it offers {', '.join(offered) or 'none'}"
    )


def security(auth: KafkaAuth, *, region: str) -> dict[str, Any]:
    """What aiokafka is told about TLS and SASL."""
    if auth.mode == "plaintext":
        return {"security_protocol": "PLAINTEXT"}
    context = tls(auth)
    if auth.mode == "tls":
        return {"security_protocol": "SSL", "ssl_context": context}
    sasl: dict[str, Any] = {"security_protocol": "SASL_SSL", "ssl_context": context}
    if auth.mode == "scram":
        return sasl | {
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": auth.username,
            "sasl_plain_password": auth.password,
        }
    provider = token_provider(region=region)
    return sasl | {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": provider}


def tls(auth: KafkaAuth) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=auth.ca_file or None)
        if auth.certificate_file:
            context.load_cert_chain(auth.certificate_file, auth.key_file)
    except OSError as error:
        files = [f for f in (auth.ca_file, auth.certificate_file, auth.key_file) if f]
        raise BadAuth(f"the TLS files {', '.join(files)} cannot be used: {error}") from error
    return context
