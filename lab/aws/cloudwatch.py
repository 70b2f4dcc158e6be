"""CloudWatch's operations over the measured series."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

from lab.aws.drawing import Easel
from lab.aws.faults import Faults
from lab.aws.metric_data import get_metric_data
from lab.aws.paging import BadToken, page
from lab.aws.protocol import Handlers
from lab.aws.refusals import Refused, invalid_request, invalid_value, not_built
from lab.aws.series import Metric, SeriesStore
from lab.aws.shapes import Fields
from lab.aws.widget import BadWidget, parse_widget

LIST_PAGE = 500
RECENT_SECONDS = 3 * 3_600


class CloudWatch:
    """GetMetricData, ListMetrics and GetMetricWidgetImage; PutMetricData refuses."""

    def __init__(
        self, *, series: SeriesStore, faults: Faults, clock: Callable[[], float] = time.time
    ) -> None:
        self._series = series
        self._faults = faults
        self._clock = clock
        self._easel = Easel()

    def handlers(self) -> Handlers:
        return {
            "GetMetricData": self.get_metric_data,
            "ListMetrics": self.list_metrics,
            "GetMetricWidgetImage": self.get_metric_widget_image,
            "PutMetricData": self.put_metric_data,
        }

    def start(self) -> None:
        self._easel.warm_up_later()

    def close(self) -> None:
        self._easel.close()

    def _newest(self) -> float:
        """Up to when points are visible: metrics may be late."""
        late = self._faults.peek(name="late_metrics")
        return self._clock() - late.seconds if late else float("inf")

    async def get_metric_data(self, fields: Fields) -> Fields:
        return get_metric_data(fields, series=self._series, newest=self._newest())

    async def list_metrics(self, fields: Fields) -> Fields:
        recent = fields.get("RecentlyActive")
        since = self._clock() - RECENT_SECONDS if recent else float("-inf")
        matching = sorted(
            (one for one in self._series.names() if self._listed(one, fields, since=since)),
            key=lambda one: (one.namespace, one.name, one.dimensions),
        )
        try:
            shown, following = page(matching, next_token=fields.get("NextToken"), size=LIST_PAGE)
        except BadToken as mistake:
            raise invalid_value(str(mistake)) from mistake
        return {"Metrics": [_described(one) for one in shown], "NextToken": following}

    def _listed(self, one: Metric, fields: Fields, *, since: float) -> bool:
        dimensions = dict(one.dimensions)
        return (
            fields.get("Namespace", one.namespace) == one.namespace
            and fields.get("MetricName", one.name) == one.name
            and all(_has(dimensions, wanted) for wanted in fields.get("Dimensions", []))
            and self._series.last_at(one) >= since
        )

    async def get_metric_widget_image(self, fields: Fields) -> Fields:
        # `image/png` would answer raw bytes, which boto3 cannot parse: on AWS as well.
        if fields.get("OutputFormat", "png") != "png":
            raise not_built("an output format other than png")
        try:
            widget = parse_widget(fields["MetricWidget"], now=self._clock())
        except BadWidget as mistake:
            raise invalid_request(f"Invalid MetricWidget: {mistake}") from mistake
        png = await self._easel.draw(widget, series=self._series, newest=self._newest())
        return {"MetricWidgetImage": base64.b64encode(png).decode()}

    async def put_metric_data(self, fields: Fields) -> Fields:
        if fields["Namespace"].startswith("AWS/"):
            raise Refused(
                code="InvalidParameterValue",
                status=400,
                message="The value AWS/ for parameter Namespace is invalid: it is reserved for AWS.",
            )
        raise not_built("custom metrics: every series of the lab is measured")


def _has(dimensions: dict[str, str], wanted: Fields) -> bool:
    name = wanted["Name"]
    return name in dimensions and wanted.get("Value", dimensions[name]) == dimensions[name]


def _described(one: Metric) -> Fields:
    return {
        "Namespace": one.namespace,
        "MetricName": one.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in one.dimensions],
    }
