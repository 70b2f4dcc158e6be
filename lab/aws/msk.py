"""MSK's operations: the reads, drawn from the live fleet, and the door to the one change built.

Where the lab has no counterpart (subnets, security groups) it says something shaped like AWS's, so
that code reading those members runs; what it cannot do it refuses by name.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from lab.aws.cluster import Cluster
from lab.aws.operations import Operation
from lab.aws.paging import BadToken, page
from lab.aws.protocol import Handlers
from lab.aws.refusals import bad_request, not_found
from lab.aws.shapes import Fields, iso8601
from lab.fleet import LabBroker

KAFKA_VERSIONS = ("3.9.x", "3.9.x.kraft", "4.0.x.kraft", "4.1.x.kraft")
PAGE_SIZE = 100


class Msk:
    """The MSK operations of one cluster."""

    def __init__(self, *, cluster: Cluster) -> None:
        self._cluster = cluster

    def handlers(self) -> Handlers:
        return {
            "DescribeCluster": self.describe_cluster,
            "DescribeClusterV2": self.describe_cluster_v2,
            "ListClustersV2": self.list_clusters_v2,
            "ListNodes": self.list_nodes,
            "GetBootstrapBrokers": self.get_bootstrap_brokers,
            "UpdateBrokerCount": self.update_broker_count,
            "DescribeClusterOperation": self.describe_operation,
            "DescribeClusterOperationV2": self.describe_operation_v2,
            "ListClusterOperations": self.list_operations,
            "ListClusterOperationsV2": self.list_operations_v2,
            "GetCompatibleKafkaVersions": self.get_compatible_kafka_versions,
            "ListKafkaVersions": self.list_kafka_versions,
            "ListTagsForResource": self.list_tags,
        }

    async def describe_cluster(self, fields: Fields) -> Fields:
        self._known(fields)
        return {"ClusterInfo": self._common() | self._provisioned(v1=True)}

    async def describe_cluster_v2(self, fields: Fields) -> Fields:
        self._known(fields)
        return {"ClusterInfo": self._v2()}

    async def list_clusters_v2(self, fields: Fields) -> Fields:
        named = self._cluster.identity.name.startswith(fields.get("ClusterNameFilter", ""))
        typed = fields.get("ClusterTypeFilter", "PROVISIONED") == "PROVISIONED"
        clusters = [self._v2()] if named and typed else []
        return _paged(clusters, fields, into="ClusterInfoList")

    async def list_nodes(self, fields: Fields) -> Fields:
        self._known(fields)
        nodes = [self._node(broker) for broker in self._cluster.fleet.brokers()]
        return _paged(nodes, fields, into="NodeInfoList")

    async def get_bootstrap_brokers(self, fields: Fields) -> Fields:
        """About three brokers in changing order, as AWS does: nobody may rely on the first."""
        self._known(fields)
        addresses = self._cluster.fleet.bootstrap().split(",")
        random.shuffle(addresses)
        return {"BootstrapBrokerString": ",".join(addresses)}

    async def update_broker_count(self, fields: Fields) -> Fields:
        if fields["ClusterArn"] != self._cluster.identity.arn:
            # The model gives this operation no NotFoundException.
            raise bad_request("The specified cluster does not exist.", parameter="clusterArn")
        operation = self._cluster.update_broker_count(
            version=fields["CurrentVersion"], target=fields["TargetNumberOfBrokerNodes"]
        )
        return {"ClusterArn": self._cluster.identity.arn, "ClusterOperationArn": operation.arn}

    async def describe_operation(self, fields: Fields) -> Fields:
        operation = self._operation(fields)
        return {"ClusterOperationInfo": operation.described_v1(cluster_arn=self._arn)}

    async def describe_operation_v2(self, fields: Fields) -> Fields:
        operation = self._operation(fields)
        return {"ClusterOperationInfo": operation.described_v2(cluster_arn=self._arn)}

    async def list_operations(self, fields: Fields) -> Fields:
        return self._operations(fields, lambda one: one.described_v1(cluster_arn=self._arn))

    async def list_operations_v2(self, fields: Fields) -> Fields:
        return self._operations(fields, lambda one: one.listed_v2(cluster_arn=self._arn))

    async def get_compatible_kafka_versions(self, fields: Fields) -> Fields:
        if "ClusterArn" in fields:
            self._known(fields)
        source = self._cluster.hardware.kafka_version
        targets = [one for one in KAFKA_VERSIONS if one > source and one.endswith(".kraft")]
        entry = {"SourceVersion": source, "TargetVersions": targets}
        return {"CompatibleKafkaVersions": [entry]}

    async def list_kafka_versions(self, fields: Fields) -> Fields:
        versions = [{"Version": one, "Status": "ACTIVE"} for one in KAFKA_VERSIONS]
        return _paged(versions, fields, into="KafkaVersions")

    async def list_tags(self, fields: Fields) -> Fields:
        if fields["ResourceArn"] != self._arn:
            raise not_found("The specified resource does not exist.", parameter="resourceArn")
        return {"Tags": {"environment": "lab"}}

    @property
    def _arn(self) -> str:
        return self._cluster.identity.arn

    def _known(self, fields: Fields) -> None:
        if fields["ClusterArn"] != self._arn:
            raise not_found("The specified cluster does not exist.", parameter="clusterArn")

    def _operation(self, fields: Fields) -> Operation:
        operation = self._cluster.operation(fields["ClusterOperationArn"])
        if operation is None:
            raise not_found(
                "The specified cluster operation does not exist.", parameter="clusterOperationArn"
            )
        return operation

    def _operations(self, fields: Fields, show: Callable[[Operation], Fields]) -> Fields:
        if fields["ClusterArn"] != self._arn:
            raise bad_request("The specified cluster does not exist.", parameter="clusterArn")
        shown = [show(operation) for operation in self._cluster.operations()]
        return _paged(shown, fields, into="ClusterOperationInfoList")

    def _common(self) -> Fields:
        identity = self._cluster.identity
        active = self._cluster.active_operation()
        return {
            "ClusterArn": identity.arn,
            "ClusterName": identity.name,
            "CreationTime": identity.created,
            "CurrentVersion": identity.current_version,
            "State": self._cluster.state(),
            "Tags": {"environment": "lab"},
            "ActiveOperationArn": active.arn if active else None,
        }

    def _v2(self) -> Fields:
        provisioned = self._provisioned(v1=False)
        return self._common() | {"ClusterType": "PROVISIONED", "Provisioned": provisioned}

    def _provisioned(self, *, v1: bool) -> Fields:
        software = {"KafkaVersion": self._cluster.hardware.kafka_version}
        in_transit = {"ClientBroker": "PLAINTEXT", "InCluster": False}
        fields: Fields = {
            "BrokerNodeGroupInfo": self._node_group(),
            "CurrentBrokerSoftwareInfo": software,
            "ClientAuthentication": {"Unauthenticated": {"Enabled": True}},
            "EncryptionInfo": {"EncryptionInTransit": in_transit},
            "EnhancedMonitoring": "PER_BROKER",
            "NumberOfBrokerNodes": self._cluster.number_of_brokers(),
            "StorageMode": "LOCAL",
        }
        return fields if v1 else fields | {"CustomerActionStatus": "NONE"}

    def _node_group(self) -> Fields:
        zones = self._cluster.zones()
        volume = {"VolumeSize": self._cluster.hardware.volume_gib}
        return {
            "BrokerAZDistribution": "DEFAULT",
            "ClientSubnets": [subnet(zone) for zone in zones],
            "InstanceType": self._cluster.hardware.instance_type,
            "SecurityGroups": ["sg-0000000000000001ab"],
            "StorageInfo": {"EbsStorageInfo": volume},
            "ZoneIds": list(zones),
        }

    def _node(self, broker: LabBroker) -> Fields:
        hardware = self._cluster.hardware
        stem = self._arn.replace(":cluster/", ":broker/")
        return {
            "NodeType": "BROKER",
            "NodeARN": f"{stem}/{broker.broker_id}",
            "InstanceType": hardware.instance_type,
            "AddedToClusterTime": iso8601(broker.started_at),
            "BrokerNodeInfo": {
                "BrokerId": broker.broker_id,
                "ClientSubnet": subnet(broker.az_id),
                "ClientVpcIpAddress": broker.host,
                "AttachedENIId": f"eni-{broker.broker_id:017x}",
                # AWS names hosts of their own; here brokers share a host, so the port is needed.
                "Endpoints": [f"{broker.host}:{broker.port}"],
                "CurrentBrokerSoftwareInfo": {"KafkaVersion": hardware.kafka_version},
            },
        }


def subnet(zone: str) -> str:
    """A subnet id that reads like AWS's and belongs to one zone for ever."""
    return f"subnet-{zone.encode().hex()[-17:].rjust(17, '0')}"


def _paged(items: list[Any], fields: Fields, *, into: str) -> Fields:
    try:
        shown, following = page(
            items,
            next_token=fields.get("NextToken"),
            size=fields.get("MaxResults", PAGE_SIZE),
        )
    except BadToken as mistake:
        raise bad_request(str(mistake), parameter="nextToken") from mistake
    return {into: list(shown), "NextToken": following}
