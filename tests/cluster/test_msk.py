"""The MSK adapter: AWS's answers become facts, AWS's refusals become words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError, ReadTimeoutError
from botocore.stub import Stubber

from changes.ports import Accepted, Refused, Unreachable
from cluster.errors import AwsRefuses
from cluster.msk import MskByBoto
from tests.cluster.aws import ARN, REF, stubbed

pytestmark = pytest.mark.slow

OPERATION = ARN.replace(":cluster/", ":cluster-operation/") + "/77"
STALE = "The version of the cluster isn’t current. Check the current version and try again."
BUSY = "This operation is only valid for resources in one of the following states :[ACTIVE]"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[MskByBoto, Stubber]]:
    client, stubber = stubbed(monkeypatch, "kafka")
    yield MskByBoto(client=client, cluster=REF), stubber
    stubber.assert_no_pending_responses()


Aws = tuple[MskByBoto, Stubber]


def provisioned(**more: Any) -> dict[str, Any]:
    group = {
        "ClientSubnets": ["subnet-a", "subnet-b", "subnet-c"],
        "InstanceType": "kafka.m5.large",
        "StorageInfo": {"EbsStorageInfo": {"VolumeSize": 1000}},
        "ZoneIds": ["use1-az1", "use1-az2", "use1-az4"],
    }
    return {
        "ClusterType": "PROVISIONED",
        "ClusterArn": ARN,
        "ClusterName": "orders-prod",
        "CurrentVersion": "K12V3IB1VIZHHY",
        "State": "ACTIVE",
        "Provisioned": {
            "BrokerNodeGroupInfo": {**group, **more},
            "CurrentBrokerSoftwareInfo": {"KafkaVersion": "3.9.x.kraft"},
            "NumberOfBrokerNodes": 3,
        },
    }


def describes(stubber: Stubber, info: dict[str, Any]) -> None:
    stubber.add_response("describe_cluster_v2", {"ClusterInfo": info}, {"ClusterArn": ARN})


async def test_a_cluster_is_described(aws: Aws) -> None:
    msk, stubber = aws
    describes(stubber, provisioned())
    cluster = await msk.describe()
    assert (cluster.current_version, cluster.broker_count) == ("K12V3IB1VIZHHY", 3)
    assert cluster.az_ids == ("use1-az1", "use1-az2", "use1-az4")
    assert (cluster.volume_gib, cluster.instance_type) == (1000, "kafka.m5.large")
    assert cluster.kraft
    assert not cluster.express


async def test_what_a_standard_cluster_has_and_others_lack_may_be_absent(aws: Aws) -> None:
    msk, stubber = aws
    info = provisioned(InstanceType="express.m7g.large", ZoneIds=[])
    del info["Provisioned"]["BrokerNodeGroupInfo"]["StorageInfo"]
    info["Provisioned"]["Rebalancing"] = {"Status": "ACTIVE"}
    info["StateInfo"] = {"Code": "x", "Message": "patching"}
    info["ActiveOperationArn"] = OPERATION
    describes(stubber, info)
    cluster = await msk.describe()
    assert cluster.express
    assert (cluster.volume_gib, cluster.rebalancing) == (None, "ACTIVE")
    assert cluster.az_ids == ("subnet-a", "subnet-b", "subnet-c"), "one AZ per subnet"
    assert (cluster.state_message, cluster.active_operation_arn) == ("patching", OPERATION)


async def test_a_serverless_cluster_is_refused_in_words(aws: Aws) -> None:
    msk, stubber = aws
    info = provisioned()
    del info["Provisioned"]
    describes(stubber, info | {"ClusterType": "SERVERLESS", "Serverless": {"VpcConfigs": []}})
    with pytest.raises(AwsRefuses, match="orders-prod: it is serverless"):
        await msk.describe()


async def test_nodes_come_in_pages_and_controllers_are_left_out(aws: Aws) -> None:
    msk, stubber = aws
    first = {
        "NodeInfoList": [
            {"NodeType": "BROKER", "ControllerNodeInfo": {"Endpoints": ["c-1"]}},
            node(10.0),
        ],
        "NextToken": "more",
    }
    stubber.add_response("list_nodes", first, {"ClusterArn": ARN, "MaxResults": 100})
    asked = {"ClusterArn": ARN, "MaxResults": 100, "NextToken": "more"}
    stubber.add_response("list_nodes", {"NodeInfoList": [node(2.0)]}, asked)
    nodes = await msk.nodes()
    assert [n.broker_id for n in nodes] == [2, 10]
    assert isinstance(nodes[0].broker_id, int)
    assert nodes[0].endpoints == ("b-2.example",)


def node(broker_id: float) -> dict[str, Any]:
    broker = {
        "BrokerId": broker_id,
        "ClientSubnet": "subnet-a",
        "Endpoints": [f"b-{broker_id:.0f}.example"],
    }
    return {"NodeType": "BROKER", "InstanceType": "m5.large", "BrokerNodeInfo": broker}


async def test_an_operation_names_its_target_its_brokers_and_its_error(aws: Aws) -> None:
    msk, stubber = aws
    info = {
        "OperationArn": OPERATION,
        "OperationState": "UPDATE_FAILED",
        "OperationType": "INCREASE_BROKER_COUNT",
        "StartTime": datetime(2026, 11, 3, 9, tzinfo=UTC),
        "ErrorInfo": {"ErrorCode": "Capacity", "ErrorString": "none left in use1-az4"},
        "Provisioned": {
            "TargetClusterInfo": {
                "NumberOfBrokerNodes": 6,
                "BrokerCountUpdateInfo": {"CreatedBrokerIds": [6.0, 4.0, 5.0]},
            }
        },
    }
    stubber.add_response(
        "describe_cluster_operation_v2",
        {"ClusterOperationInfo": info},
        {"ClusterOperationArn": OPERATION},
    )
    operation = await msk.operation(arn=OPERATION)
    assert operation.failed
    assert (operation.target_broker_count, operation.created_broker_ids) == (6, (4, 5, 6))
    assert operation.error == "Capacity: none left in use1-az4"


async def test_operations_are_newest_first(aws: Aws) -> None:
    msk, stubber = aws
    listed = [
        {"OperationArn": "old", "CreationTime": datetime(2026, 1, 1, tzinfo=UTC)},
        {
            "OperationArn": "new",
            "CreationTime": datetime(2026, 2, 1, tzinfo=UTC),
            "OperationState": "SOMETHING_NEW",
            "TargetClusterInfo": {"NumberOfBrokerNodes": 9},
        },
    ]
    stubber.add_response("list_cluster_operations", {"ClusterOperationInfoList": listed})
    newest, oldest = await msk.operations()
    assert (newest.arn, newest.target_broker_count, oldest.arn) == ("new", 9, "old")
    assert not newest.succeeded
    assert not newest.failed, "a state nobody knows is still running"


async def test_an_accepted_update_gives_its_operation(aws: Aws) -> None:
    msk, stubber = aws
    asked = {"ClusterArn": ARN, "CurrentVersion": "K1", "TargetNumberOfBrokerNodes": 6}
    answer = {"ClusterArn": ARN, "ClusterOperationArn": OPERATION}
    stubber.add_response("update_broker_count", answer, asked)
    accepted = await msk.update_broker_count(current_version="K1", brokers=6)
    assert accepted == Accepted(operation_arn=OPERATION)


@pytest.mark.parametrize(
    ("code", "status", "text", "words", "stale", "passing"),
    [
        ("BadRequestException", 400, STALE, "somebody changed the cluster", True, False),
        ("BadRequestException", 400, STALE.replace("’", "'"), "somebody changed", True, False),
        ("BadRequestException", 400, BUSY, "MSK is at work on the cluster", False, True),
        ("BadRequestException", 400, "must be a multiple", "MSK refuses: must be", False, False),
        ("TooManyRequestsException", 429, "Rate exceeded", "MSK", False, False),
        ("TooManyRequestsException", 429, "Slow down", "MSK asks us to slow down", False, True),
        ("TooManyRequestsException", 429, "too many partitions", "a limit is", False, False),
        ("ForbiddenException", 403, "no", "may not call kafka:UpdateBrokerCount", False, False),
        ("AccessDeniedException", 403, "no", "may not call kafka:UpdateBroker", False, False),
        ("NotFoundException", 404, "gone", "MSK does not know this cluster", False, False),
    ],
)
async def test_a_refusal_is_told_in_words_with_awss_text(
    aws: Aws, code: str, status: int, text: str, words: str, stale: bool, passing: bool
) -> None:
    msk, stubber = aws
    stubber.add_client_error("update_broker_count", code, text, http_status_code=status)
    refused = await msk.update_broker_count(current_version="K1", brokers=6)
    assert isinstance(refused, Refused)
    assert words in refused.words
    assert text in refused.words
    assert (refused.stale, refused.passing) == (stale, passing)


@pytest.mark.parametrize(("status", "text", "repeats"), [(503, "later", 0), (400, STALE, 1)])
async def test_an_update_nobody_can_know_of_is_no_refusal(
    aws: Aws, status: int, text: str, repeats: int
) -> None:
    """The stale version may be the answer to our own first try, whose answer was lost."""
    msk, stubber = aws
    stubber.add_client_error(
        "update_broker_count",
        "BadRequestException",
        text,
        http_status_code=status,
        response_meta={"RetryAttempts": repeats},
    )
    with pytest.raises(Unreachable, match="may have been accepted"):
        await msk.update_broker_count(current_version="K1", brokers=6)


async def test_a_count_that_boto_refuses_is_one_line(aws: Aws) -> None:
    msk, stubber = aws
    stubber.deactivate()  # it would answer before boto3 has looked at the arguments
    refused = await msk.update_broker_count(current_version="K1", brokers=0)
    assert isinstance(refused, Refused)
    assert "\n" not in refused.words
    assert "0 brokers of orders-prod" in refused.words


async def test_a_read_that_is_not_allowed_names_the_action(aws: Aws) -> None:
    msk, stubber = aws
    stubber.add_client_error("describe_cluster_v2", "ForbiddenException", "not authorized")
    with pytest.raises(Unreachable, match=r"orders-prod: .*kafka:DescribeClusterV2 \(not auth"):
        await msk.describe()


@pytest.mark.parametrize(
    "trouble",
    [
        EndpointConnectionError(endpoint_url="https://kafka.example"),
        ReadTimeoutError(endpoint_url="https://kafka.example"),
    ],
)
async def test_network_trouble_says_what_was_being_done(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    msk, _ = aws

    def fails(**_: object) -> None:
        raise trouble

    monkeypatch.setattr(msk._client, "list_nodes", fails)
    with pytest.raises(Unreachable, match=r"^reading MSK nodes of orders-prod: .*kafka\.example"):
        await msk.nodes()
    monkeypatch.setattr(msk._client, "update_broker_count", fails)
    with pytest.raises(Unreachable, match="it may have been accepted"):
        await msk.update_broker_count(current_version="K1", brokers=6)


async def test_missing_credentials_are_known_to_have_changed_nothing(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    msk, _ = aws

    def fails(**_: object) -> None:
        raise NoCredentialsError

    monkeypatch.setattr(msk._client, "update_broker_count", fails)
    with pytest.raises(Unreachable, match=r"Unable to locate credentials$"):
        await msk.update_broker_count(current_version="K1", brokers=6)
