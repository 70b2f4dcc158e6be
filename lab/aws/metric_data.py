"""GetMetricData: raw metrics in buckets, newest first unless asked otherwise.

Metric math, SEARCH and Metrics Insights are refused loudly: an empty answer would look like
"no data", which means something else to a watch.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.utils import parse_to_aware_datetime

from lab.aws.labels import default_labels
from lab.aws.paging import BadToken, offset, token
from lab.aws.refusals import Refused, invalid_request, invalid_value, not_built
from lab.aws.series import Metric, SeriesStore, metric
from lab.aws.shapes import Fields
from lab.aws.statistics import BadStatistic, Statistic, bucketed, check_period, statistic

QUERIES_MAX = 500
DATAPOINTS_MAX = 100_800
_ID = re.compile(r"[a-z][a-zA-Z0-9_]{0,254}")

Datapoint = tuple[int, float]


@dataclass(frozen=True)
class Query:
    """One metric to read, checked."""

    query_id: str
    metric: Metric
    period_seconds: int
    reduce: Statistic
    label: str
    returned: bool
    unit: str | None


def get_metric_data(fields: Fields, *, series: SeriesStore, newest: float) -> Fields:
    """The answer to one GetMetricData call; nothing after `newest` is shown yet."""
    start, end = _moment(fields["StartTime"]), _moment(fields["EndTime"])
    if start >= end:
        raise invalid_request("The parameter StartTime must be less than the parameter EndTime.")
    queries = [query for query in _queries(fields["MetricDataQueries"]) if query.returned]
    descending = fields.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    found = []
    for query in queries:
        points = datapoints(query, series=series, start=start, end=min(end, newest))
        found.append((query, points[::-1] if descending else points))
    return _page(found, size=fields.get("MaxDatapoints", DATAPOINTS_MAX), fields=fields)


def datapoints(query: Query, *, series: SeriesStore, start: float, end: float) -> list[Datapoint]:
    """Oldest first; the start is rounded down to the period, the end is exclusive."""
    if query.unit not in (None, "None"):
        # The lab records no units, and on AWS a wrong unit finds nothing.
        return []
    aligned = start // query.period_seconds * query.period_seconds
    times, values = series.between(query.metric, start=aligned, end=end)
    return bucketed(times, values, period_seconds=query.period_seconds, reduce=query.reduce)


def _moment(value: Any) -> float:
    moment: dt.datetime = parse_to_aware_datetime(value)
    return moment.timestamp()


def _queries(given: list[Fields]) -> list[Query]:
    if not 1 <= len(given) <= QUERIES_MAX:
        raise invalid_request(
            f"The collection MetricDataQueries must have 1 to {QUERIES_MAX} entries, not {len(given)}."
        )
    ids = [entry["Id"] for entry in given]
    for query_id in ids:
        if not _ID.fullmatch(query_id):
            raise invalid_request(
                f"The value {query_id!r} for Id must start with a lower-case letter and contain "
                "only letters, digits and underscores."
            )
    if len(set(ids)) < len(ids):
        raise invalid_request("Every Id within MetricDataQueries must be unique.")
    stats = [_metric_stat(entry) for entry in given]
    labels = default_labels([metric_of(stat["Metric"]) for stat in stats])
    return [_query(*each) for each in zip(given, stats, labels, strict=True)]


def _metric_stat(entry: Fields) -> Fields:
    if "Expression" in entry:
        raise not_built(
            f"metric math, SEARCH and Metrics Insights (Expression of {entry['Id']!r}): "
            "ask for the raw metrics with MetricStat and compute from them"
        )
    if "MetricStat" not in entry:
        raise invalid_request(f"The query {entry['Id']!r} needs a MetricStat.")
    stat: Fields = entry["MetricStat"]
    return stat


def metric_of(given: Mapping[str, Any]) -> Metric:
    """The series a request names."""
    dimensions = {one["Name"]: one["Value"] for one in given.get("Dimensions", [])}
    return metric(given.get("Namespace", ""), given.get("MetricName", ""), dimensions)


def _query(entry: Fields, stat: Fields, label: str) -> Query:
    try:
        return Query(
            query_id=entry["Id"],
            metric=metric_of(stat["Metric"]),
            period_seconds=check_period(stat["Period"]),
            reduce=statistic(stat["Stat"]),
            label=entry.get("Label", label),
            returned=entry.get("ReturnData", True),
            unit=stat.get("Unit"),
        )
    except BadStatistic as mistake:
        raise invalid_value(f"{mistake} (query {entry['Id']!r}).") from mistake


def _page(found: list[tuple[Query, list[Datapoint]]], *, size: int, fields: Fields) -> Fields:
    if not 1 <= size <= DATAPOINTS_MAX:
        raise invalid_value(f"MaxDatapoints must lie between 1 and {DATAPOINTS_MAX}, not {size}.")
    skip = _offset(fields.get("NextToken"))
    total = sum(len(points) for _, points in found)
    results = list(_slices(found, skip=skip, size=size))
    following = token(skip + size) if skip + size < total else None
    return {"MetricDataResults": results, "NextToken": following, "Messages": []}


def _offset(given: str | None) -> int:
    try:
        return offset(given)
    except BadToken as mistake:
        raise Refused(code="InvalidNextToken", status=400, message=str(mistake)) from mistake


def _slices(
    found: list[tuple[Query, list[Datapoint]]], *, skip: int, size: int
) -> Iterator[Fields]:
    """Every query answers on every page, cut to the part of the points that falls on it."""
    before = 0
    for query, points in found:
        first = min(max(skip - before, 0), len(points))
        last = min(max(skip + size - before, 0), len(points))
        before += len(points)
        yield _result(query, points[first:last], complete=last == len(points))


def _result(query: Query, points: list[Datapoint], *, complete: bool) -> Fields:
    return {
        "Id": query.query_id,
        "Label": query.label,
        "Timestamps": [dt.datetime.fromtimestamp(at, dt.UTC) for at, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": "Complete" if complete else "PartialData",
    }
