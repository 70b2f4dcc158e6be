"""The Query protocol, with botocore's own serializer and parser as the other end."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import aiohttp
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from lab.aws.series import metric
from lab.aws.shapes import service_model
from tests.lab.aws.conftest import Aws

T0 = time.time() // 60 * 60 - 3_600


async def query(aws: Aws, operation: str, **fields: Any) -> Any:
    """One call as a Query SDK makes it, parsed as such an SDK parses it."""
    model = service_model("cloudwatch").operation_model(operation)
    request = create_serializer("query").serialize_to_request(fields, model)
    async with (
        aiohttp.ClientSession() as session,
        session.post(aws.server.url + "/", data=request["body"]) as answer,
    ):
        response = {
            "status_code": answer.status,
            "headers": dict(answer.headers),
            "body": await answer.read(),
        }
    return create_parser("query").parse(response, model.output_shape)


def wanted(**stat: Any) -> dict[str, Any]:
    dimensions = [{"Name": "Broker ID", "Value": "1"}, {"Name": "Cluster Name", "Value": "orders"}]
    named = {"Namespace": "AWS/Kafka", "MetricName": "Made", "Dimensions": dimensions}
    return {"Id": "m1", "MetricStat": {"Metric": named, "Period": 60, "Stat": "Sum", **stat}}


def put(aws: Aws) -> None:
    name = metric("AWS/Kafka", "Made", {"Cluster Name": "orders", "Broker ID": "1"})
    for at, value in ((T0, 1.5), (T0 + 5, 2.0), (T0 + 60, 4.0)):
        aws.server.series.add(name, at=at, value=value)


async def test_metric_data_comes_as_xml(aws: Aws) -> None:
    put(aws)
    answer = await query(
        aws, "GetMetricData", MetricDataQueries=[wanted()], StartTime=T0, EndTime=T0 + 120
    )
    (result,) = answer["MetricDataResults"]
    assert result["Values"] == [4.0, 3.5]
    assert [at.timestamp() for at in result["Timestamps"]] == [T0 + 60, T0]
    assert answer["ResponseMetadata"]["RequestId"]


async def test_metrics_are_listed_by_dimension(aws: Aws) -> None:
    put(aws)
    filters = [{"Name": "Broker ID", "Value": "1"}, {"Name": "Cluster Name"}]
    answer = await query(aws, "ListMetrics", MetricName="Made", Dimensions=filters)
    assert [one["MetricName"] for one in answer["Metrics"]] == ["Made"]
    assert not (await query(aws, "ListMetrics", MetricName="Mad"))["Metrics"]


async def test_a_picture_comes_as_text_of_its_bytes(aws: Aws) -> None:
    widget = json.dumps({"metrics": [], "width": 300, "height": 200})
    answer = await query(aws, "GetMetricWidgetImage", MetricWidget=widget)
    picture = answer["MetricWidgetImage"]
    png = picture if isinstance(picture, bytes) else base64.b64decode(picture)
    assert png.startswith(b"\x89PNG")


async def test_a_refusal_comes_with_its_code(aws: Aws) -> None:
    mistaken = wanted(Period=7)
    answer = await query(
        aws, "GetMetricData", MetricDataQueries=[mistaken], StartTime=T0, EndTime=T0 + 120
    )
    assert answer["Error"]["Code"] == "InvalidParameterValue"
    assert "multiple of 60" in answer["Error"]["Message"]


async def test_an_unknown_action_and_a_mistyped_number_are_refused(aws: Aws) -> None:
    async with aiohttp.ClientSession() as session:
        bodies = (
            "Action=Explode",
            "Action=GetMetricData&MaxDatapoints=many",
            "Action=ListMetrics&IncludeLinkedAccounts=maybe",
        )
        seen = []
        for body in bodies:
            async with session.post(aws.server.url + "/", data=body) as answer:
                seen.append((answer.status, await answer.text()))
    assert [status for status, _ in seen] == [501, 400, 400]
    assert "'many'" in seen[1][1]
    assert "true or false" in seen[2][1]
