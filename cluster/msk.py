"""The Msk port, by boto3.

The surprising truth: MSK says nearly every no as BadRequestException, and even 429 may mean "over a
limit". So refusals are told apart by their text, and the text is always shown.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from changes.facts import ClusterRef, MskCluster, MskNode, MskOperation
from changes.ports import Accepted, Refused, Unreachable
from cluster.aws import DENIED, action, ask, code, message, pages, repeated, status
from cluster.errors import AwsRefuses

PAGES_MAX = 20
"""A hundred entries each: more than any cluster has nodes; of operations, the newest suffice."""
OPERATION_PAGES_MAX = 3
CREDENTIALS = (CredentialRetrievalError, NoCredentialsError, PartialCredentialsError)
"""Trouble before anything was sent; of all other trouble with an update the outcome is unknown."""
STALE = re.compile(r"version of the cluster isn.t current", re.IGNORECASE)
BUSY = re.compile(r"only valid for resources in one of the following states", re.IGNORECASE)
LIMIT = re.compile(r"limit|quota|exceed|partition", re.IGNORECASE)


class MskByBoto:
    """One cluster; `client` is boto3's for `kafka`."""

    def __init__(self, *, client: Any, cluster: ClusterRef) -> None:
        self._client = client
        self._cluster = cluster

    async def describe(self) -> MskCluster:
        doing = f"reading MSK cluster {self._cluster.name}"
        answer = await ask(
            self._client, "describe_cluster_v2", doing=doing, ClusterArn=self._cluster.arn
        )
        info = answer["ClusterInfo"]
        if "Provisioned" not in info:
            kind = str(info.get("ClusterType", "SERVERLESS")).lower()
            raise AwsRefuses(f"{doing}: it is {kind}; only provisioned clusters have brokers")
        return cluster_from(info)

    async def nodes(self) -> tuple[MskNode, ...]:
        infos = await pages(
            self._client,
            "list_nodes",
            "NodeInfoList",
            doing=f"reading MSK nodes of {self._cluster.name}",
            pages_max=PAGES_MAX,
            ClusterArn=self._cluster.arn,
            MaxResults=100,
        )
        found = [node_from(info) for info in infos if info.get("BrokerNodeInfo")]
        return tuple(sorted(found, key=lambda node: node.broker_id))

    async def operation(self, *, arn: str) -> MskOperation:
        answer = await ask(
            self._client,
            "describe_cluster_operation_v2",
            doing=f"reading MSK operation of {self._cluster.name}",
            ClusterOperationArn=arn,
        )
        return operation_from(answer["ClusterOperationInfo"])

    async def operations(self) -> tuple[MskOperation, ...]:
        """V1 on purpose: its list holds the target, V2's only names."""
        infos = await pages(
            self._client,
            "list_cluster_operations",
            "ClusterOperationInfoList",
            doing=f"reading MSK operations of {self._cluster.name}",
            pages_max=OPERATION_PAGES_MAX,
            ClusterArn=self._cluster.arn,
            MaxResults=100,
        )
        found = [operation_from(info) for info in infos]
        return tuple(sorted(found, key=lambda one: one.created_at, reverse=True))

    async def update_broker_count(
        self, *, current_version: str, brokers: int
    ) -> Accepted | Refused:
        doing = f"asking MSK for {brokers} brokers of {self._cluster.name}"
        try:
            answer = await asyncio.to_thread(
                self._client.update_broker_count,
                ClusterArn=self._cluster.arn,
                CurrentVersion=current_version,
                TargetNumberOfBrokerNodes=brokers,
            )
        except ClientError as error:
            return refusal(error, doing=doing, method="update_broker_count")
        except ParamValidationError as error:
            return Refused(words=f"{doing}: " + " ".join(str(error).split()))
        except CREDENTIALS as error:
            raise Unreachable(f"{doing}: {error}") from error
        except BotoCoreError as error:
            raise Unreachable(f"{doing}: {error}; it may have been accepted") from error
        return Accepted(operation_arn=answer["ClusterOperationArn"])

    async def bootstrap_brokers(self) -> dict[str, str]:
        """Addresses by MSK's own names, such as `BootstrapBrokerStringSaslIam`."""
        answer = await ask(
            self._client,
            "get_bootstrap_brokers",
            doing=f"reading bootstrap brokers of {self._cluster.name}",
            ClusterArn=self._cluster.arn,
        )
        return {
            key: value for key, value in answer.items() if isinstance(value, str) and value.strip()
        }


def refusal(error: ClientError, *, doing: str, method: str) -> Refused:
    """What a no to a change means; raises where nobody can know whether it was one."""
    text = message(error)
    stale, busy = bool(STALE.search(text)), bool(BUSY.search(text))
    if status(error) >= 500 or (repeated(error) and (stale or busy)):
        raise Unreachable(f"{doing}: {code(error)}: {text}; it may have been accepted")
    if code(error) in DENIED:
        return Refused(words=f"our role may not call {action(method)}: {text}")
    if code(error) == "NotFoundException":
        return Refused(words=f"MSK does not know this cluster: {text}")
    if stale:
        return Refused(words=f"somebody changed the cluster in MSK meanwhile: {text}", stale=True)
    if busy:
        return Refused(words=f"MSK is at work on the cluster: {text}", passing=True)
    if status(error) == 429 or code(error) in ("TooManyRequestsException", "ThrottlingException"):
        limit = bool(LIMIT.search(text))
        words = "MSK says a limit is reached" if limit else "MSK asks us to slow down"
        return Refused(words=f"{words}: {text}", passing=not limit)
    return Refused(words=f"MSK refuses: {text}")


def cluster_from(info: Any) -> MskCluster:
    provisioned = info["Provisioned"]
    group = provisioned["BrokerNodeGroupInfo"]
    volume = group.get("StorageInfo", {}).get("EbsStorageInfo", {}).get("VolumeSize")
    return MskCluster(
        arn=info["ClusterArn"],
        name=info["ClusterName"],
        cluster_type=info.get("ClusterType", "PROVISIONED"),
        state=info["State"],
        state_message=info.get("StateInfo", {}).get("Message", ""),
        current_version=info["CurrentVersion"],
        instance_type=group["InstanceType"],
        broker_count=provisioned["NumberOfBrokerNodes"],
        # Old answers lack the AZ ids. There is one AZ per subnet, and their number matters most.
        az_ids=tuple(group.get("ZoneIds") or group["ClientSubnets"]),
        volume_gib=volume,
        kafka_version=provisioned.get("CurrentBrokerSoftwareInfo", {}).get("KafkaVersion", ""),
        active_operation_arn=info.get("ActiveOperationArn") or None,
        rebalancing=provisioned.get("Rebalancing", {}).get("Status") or None,
    )


def node_from(info: Any) -> MskNode:
    """MSK sends the broker id as a double."""
    broker = info["BrokerNodeInfo"]
    return MskNode(
        broker_id=int(broker["BrokerId"]),
        endpoints=tuple(broker.get("Endpoints", ())),
        subnet=broker.get("ClientSubnet", ""),
        instance_type=info.get("InstanceType", ""),
    )


def operation_from(info: Any) -> MskOperation:
    """V1 has source and target at the top and `CreationTime`, V2 under `Provisioned` and `StartTime`."""
    target = (info.get("Provisioned") or info).get("TargetClusterInfo") or {}
    created = (target.get("BrokerCountUpdateInfo") or {}).get("CreatedBrokerIds", ())
    failure = info.get("ErrorInfo") or {}
    parts = (failure.get("ErrorCode"), failure.get("ErrorString"))
    return MskOperation(
        arn=info["OperationArn"],
        kind=info.get("OperationType", ""),
        state=info.get("OperationState", ""),
        created_at=moment_of(info.get("StartTime") or info.get("CreationTime")),
        error=": ".join(part for part in parts if part),
        target_broker_count=target.get("NumberOfBrokerNodes"),
        created_broker_ids=tuple(sorted(int(one) for one in created)),
    )


def moment_of(when: datetime | None) -> datetime:
    """An operation without a time is the oldest there is."""
    if when is None:
        return datetime.fromtimestamp(0, UTC)
    return when.astimezone(UTC)
