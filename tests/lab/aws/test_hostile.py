"""Bytes no SDK would send: each is refused with a sentence, none breaks the endpoint."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.lab.aws.conftest import Aws

TARGET = "GraniteServiceVersion20100801."
HUGE = "9" * 400


async def sent(aws: Aws, method: str, path: str, **more: Any) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, aws.server.url + path, **more) as answer,
    ):
        return answer.status, await answer.text()


@pytest.mark.parametrize("body", ["{", "[]", "7", "\xff", '{"currentVersion": 7}', "{}"])
async def test_a_broken_body_is_a_bad_request(aws: Aws, body: str) -> None:
    arn = aws.arn.replace("/", "%2F").replace(":", "%3A")
    path = f"/v1/clusters/{arn}/nodes/count"
    status, text = await sent(aws, "PUT", path, data=body.encode("latin-1"))
    assert status == 400, text


@pytest.mark.parametrize("count", ["true", '"6"', "6.5", "-3", "0", HUGE, "null"])
async def test_a_count_that_is_no_count_is_a_bad_request(aws: Aws, count: str) -> None:
    arn = aws.arn.replace("/", "%2F")
    version = aws.server.cluster.identity.current_version
    body = f'{{"currentVersion": "{version}", "targetNumberOfBrokerNodes": {count}}}'
    status, text = await sent(aws, "PUT", f"/v1/clusters/{arn}/nodes/count", data=body)
    assert status == 400, text
    assert len(aws.fleet.brokers()) == 3


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1/clusters//nodes"),
        ("DELETE", "/v1/clusters/x/nodes"),
        ("GET", "/v1/clusters/../../etc/passwd"),
        ("PATCH", "/lab/nothing"),
    ],
)
async def test_a_path_msk_does_not_have_is_not_found(aws: Aws, method: str, path: str) -> None:
    status, text = await sent(aws, method, path)
    assert status == 404, text


async def test_an_arn_whose_slashes_were_decoded_is_no_route(aws: Aws) -> None:
    status, _ = await sent(aws, "GET", f"/v1/clusters/{aws.arn}/nodes")
    assert status == 404


@pytest.mark.parametrize("results", ["many", "-1", "0", "101", HUGE, ""])
async def test_a_page_size_that_is_no_size_is_a_bad_request(aws: Aws, results: str) -> None:
    arn = aws.arn.replace("/", "%2F")
    status, text = await sent(aws, "GET", f"/v1/clusters/{arn}/nodes?maxResults={results}")
    assert status == 400, text


QUERY = '{"Id": "m", "MetricStat": {"Metric": {"MetricName": "x"}, "Period": 60, "Stat": "Sum"}}'


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        '{"MetricDataQueries": [], "StartTime": 1, "EndTime": 2}',
        f'{{"MetricDataQueries": [{QUERY}], "StartTime": 1e300, "EndTime": 2e300}}',
        f'{{"MetricDataQueries": [{QUERY}], "StartTime": NaN, "EndTime": 2}}',
        f'{{"MetricDataQueries": [{QUERY}], "StartTime": "soon", "EndTime": 2}}',
        f'{{"MetricDataQueries": [{QUERY}], "StartTime": {HUGE}, "EndTime": {HUGE}}}',
        f'{{"MetricDataQueries": [{QUERY}], "StartTime": 1, "EndTime": 2, "MaxDatapoints": 0}}',
        f'{{"MetricDataQueries": {QUERY}, "StartTime": 1, "EndTime": 2}}',
        f'{{"MetricDataQueries": [{QUERY}], "StartTime": 1, "EndTime": 2, "ScanBy": "Up"}}',
    ],
)
async def test_broken_metric_queries_are_refused(aws: Aws, body: str) -> None:
    headers = {"X-Amz-Target": TARGET + "GetMetricData"}
    status, text = await sent(aws, "POST", "/", data=body, headers=headers)
    assert status == 400, text


@pytest.mark.parametrize("target", ["", "Nobody.GetMetricData", TARGET, TARGET + "Explode"])
async def test_a_target_nobody_has_is_not_built(aws: Aws, target: str) -> None:
    status, text = await sent(aws, "POST", "/", data="{}", headers={"X-Amz-Target": target})
    assert status == 501, text
    assert "has not built" in text


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff\xfe", b'{"name": []}'])
async def test_broken_faults_are_refused(aws: Aws, body: bytes) -> None:
    status, text = await sent(aws, "POST", "/lab/faults", data=body)
    assert status == 400, text
    assert not aws.server.faults.active
