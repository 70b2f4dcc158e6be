"""The Metrics port: CloudWatch's figures and pictures of one MSK cluster.

The surprising truth: a missing point is normal (a restart, a new broker, an Express cluster's disks)
and is never zero. Sums and choices are made here, in Python: metric math costs more calls than it
saves, and a local endpoint may not know it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from changes.facts import BrokerLoad, ClusterRef
from changes.ports import Series
from cluster.aws import ask

NAMESPACE = "AWS/Kafka"
QUERIES_PER_CALL_MAX = 500
PAGES_MAX = 20
NEWEST_PERIODS = 5
"""How far back the newest point may lie: MSK's figures arrive a minute or two late."""
PICTURE_WIDTH, PICTURE_HEIGHT = 600, 400
"""CloudWatch's own default. Its letters do not grow with a picture, and a thread shows every picture
some 360 pixels wide: a larger one would only have smaller words."""
LINES_MAX = 12
"""More lines than this nobody can tell apart; CloudWatch itself stops at 100."""
STATISTICS: Mapping[str, str] = {
    "KafkaDataLogsDiskUsed": "Maximum",
    "UnderReplicatedPartitions": "Sum",
    "OfflinePartitionsCount": "Maximum",
    "ActiveControllerCount": "Maximum",
    "PartitionCount": "Maximum",
    "LeaderCount": "Maximum",
    "SumOffsetLag": "Maximum",
}
"""Where AWS advises another statistic than Average."""
CPU_USER, CPU_SYSTEM, DISK = "CpuUser", "CpuSystem", "KafkaDataLogsDiskUsed"
BYTES_IN, BYTES_OUT = "BytesInPerSec", "BytesOutPerSec"
LOAD_METRICS = (CPU_USER, CPU_SYSTEM, DISK, BYTES_IN, BYTES_OUT)
GROUP_LAG = "SumOffsetLag"

Points = Mapping[datetime, float]


@dataclass(frozen=True)
class Line:
    """One metric of one broker."""

    metric: str
    broker_id: int

    @property
    def dimensions(self) -> Mapping[str, str]:
        return {"Broker ID": str(self.broker_id)}


@dataclass(frozen=True)
class GroupLine:
    """One lag metric of one consumer group on one topic."""

    group: str
    topic: str
    metric: str = GROUP_LAG

    @property
    def dimensions(self) -> Mapping[str, str]:
        return {"Consumer Group": self.group, "Topic": self.topic}


AnyLine = TypeVar("AnyLine", Line, GroupLine)


class MetricsByBoto:
    """`client` is boto3's for `cloudwatch`; `clock` says now, for CloudWatch lives in real time."""

    def __init__(
        self,
        *,
        client: Any,
        cluster: ClusterRef,
        period_seconds: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._cluster = cluster
        self._period = period_seconds
        self._clock = clock

    async def loads(self, *, broker_ids: Sequence[int]) -> tuple[BrokerLoad, ...]:
        end = self._clock() + timedelta(seconds=self._period)  # the end is exclusive
        start = end - timedelta(seconds=self._period * (NEWEST_PERIODS + 1))
        lines = [Line(metric, broker) for broker in broker_ids for metric in LOAD_METRICS]
        points = await self._points(lines, start=start, end=end)
        return tuple(load_of(broker_id, points) for broker_id in broker_ids)

    async def series(
        self, *, metric: str, broker_ids: Sequence[int], start: datetime, end: datetime
    ) -> tuple[Series, ...]:
        lines = [Line(metric, broker_id) for broker_id in broker_ids]
        points = await self._points(lines, start=start, end=end)
        found = []
        for line in lines:
            times = tuple(sorted(points[line]))
            values = tuple(points[line][time] for time in times)
            found.append(
                Series(metric=metric, broker_id=line.broker_id, times=times, values=values)
            )
        return tuple(found)

    async def group_lag(
        self, *, pairs: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], tuple[datetime, float]]:
        end = self._clock() + timedelta(seconds=self._period)
        start = end - timedelta(seconds=self._period * (NEWEST_PERIODS + 1))
        lines = [GroupLine(group=group, topic=topic) for group, topic in dict.fromkeys(pairs)]
        points = await self._points(lines, start=start, end=end)
        return {
            (line.group, line.topic): (max(found), found[max(found)])
            for line, found in points.items()
            if found
        }

    async def picture(
        self,
        *,
        title: str,
        metrics: Sequence[str],
        broker_ids: Sequence[int],
        start: datetime,
        end: datetime,
        marks: Sequence[tuple[datetime, str]] = (),
    ) -> bytes:
        widget = widget_of(
            cluster=self._cluster,
            title=title,
            metrics=metrics,
            broker_ids=broker_ids,
            start=start,
            end=end,
            marks=marks,
            period_seconds=self._period,
        )
        answer = await ask(
            self._client,
            "get_metric_widget_image",
            doing=f"drawing CloudWatch's picture of {self._cluster.name}",
            MetricWidget=json.dumps(widget),
            OutputFormat="png",
        )
        image: bytes = answer["MetricWidgetImage"]
        return image

    async def _points(
        self, lines: Sequence[AnyLine], *, start: datetime, end: datetime
    ) -> Mapping[AnyLine, Points]:
        found: dict[AnyLine, dict[datetime, float]] = {line: {} for line in lines}
        for first in range(0, len(lines), QUERIES_PER_CALL_MAX):
            part = lines[first : first + QUERIES_PER_CALL_MAX]
            await self._fill(found, part, start=start, end=end)
        return found

    async def _fill(
        self,
        found: Mapping[AnyLine, dict[datetime, float]],
        lines: Sequence[AnyLine],
        *,
        start: datetime,
        end: datetime,
    ) -> None:
        """One call and its further pages; a page may hold some points of some lines."""
        queries = [self._query(f"q{i}", line) for i, line in enumerate(lines)]
        token: dict[str, str] = {}
        for _ in range(PAGES_MAX):
            answer = await ask(
                self._client,
                "get_metric_data",
                doing=f"reading CloudWatch figures of {self._cluster.name}",
                MetricDataQueries=queries,
                StartTime=start,
                EndTime=end,
                **token,
            )
            for result in answer["MetricDataResults"]:
                line = lines[int(result["Id"][1:])]
                times = [time.astimezone(UTC) for time in result["Timestamps"]]
                found[line].update(zip(times, result["Values"], strict=True))
            if not answer.get("NextToken"):
                break
            token = {"NextToken": answer["NextToken"]}

    def _query(self, query_id: str, line: Line | GroupLine) -> dict[str, Any]:
        metric = {
            "Namespace": NAMESPACE,
            "MetricName": line.metric,
            "Dimensions": [
                {"Name": "Cluster Name", "Value": self._cluster.name},
                *({"Name": name, "Value": value} for name, value in line.dimensions.items()),
            ],
        }
        stat = STATISTICS.get(line.metric, "Average")
        return {
            "Id": query_id,
            "MetricStat": {"Metric": metric, "Period": self._period, "Stat": stat},
        }


def load_of(broker_id: int, points: Mapping[Line, Points]) -> BrokerLoad:
    """User and system time are added at the newest moment that has both."""
    user, system = (points[Line(name, broker_id)] for name in (CPU_USER, CPU_SYSTEM))
    both = {time: user[time] + system[time] for time in user if time in system}
    return BrokerLoad(
        broker_id=broker_id,
        cpu_percent=newest(both),
        disk_used_percent=newest(points[Line(DISK, broker_id)]),
        bytes_in_per_second=newest(points[Line(BYTES_IN, broker_id)]),
        bytes_out_per_second=newest(points[Line(BYTES_OUT, broker_id)]),
    )


def newest(points: Points) -> float | None:
    return points[max(points)] if points else None


def widget_of(
    *,
    cluster: ClusterRef,
    title: str,
    metrics: Sequence[str],
    broker_ids: Sequence[int],
    start: datetime,
    end: datetime,
    marks: Sequence[tuple[datetime, str]],
    period_seconds: int,
) -> dict[str, Any]:
    """CloudWatch's description of a picture."""
    shown = drawn(broker_ids, lines_max=max(1, LINES_MAX // max(1, len(metrics))))
    few = f" ({len(shown)} of {len(broker_ids)} brokers)" if len(shown) < len(broker_ids) else ""
    lines = [
        [
            NAMESPACE,
            metric,
            "Cluster Name",
            cluster.name,
            "Broker ID",
            str(broker_id),
            {
                "label": f"{metric} broker {broker_id}"
                if len(metrics) > 1
                else f"broker {broker_id}",
                "stat": STATISTICS.get(metric, "Average"),
            },
        ]
        for metric in metrics
        for broker_id in shown
    ]
    return {
        "title": title + few,
        "region": cluster.region,
        "view": "timeSeries",
        "stacked": False,
        "width": PICTURE_WIDTH,
        "height": PICTURE_HEIGHT,
        "timezone": "+0000",
        "period": period_seconds,
        "start": stamp(start),
        "end": stamp(end),
        "yAxis": {"left": {"min": 0}},
        "metrics": lines,
        "annotations": {
            "vertical": [{"value": stamp(when), "label": label} for when, label in marks]
        },
    }


def drawn(broker_ids: Sequence[int], *, lines_max: int) -> tuple[int, ...]:
    """All brokers, or a few at even distances that include the first and the last."""
    if len(broker_ids) <= lines_max:
        return tuple(broker_ids)
    if lines_max == 1:
        return (broker_ids[-1],)
    last = len(broker_ids) - 1
    return tuple(broker_ids[round(i * last / (lines_max - 1))] for i in range(lines_max))


def stamp(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
