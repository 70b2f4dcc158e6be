"""What the watch would have kept of a cluster, for cards and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from changes.view import BrokerLine, ClusterView, ForecastLine, GroupLine
from tests.bot.incident_samples import CLUSTER, NOW

GROUPS = (
    GroupLine(
        group="payments",
        state="stopped",
        kafka_state="Empty",
        lag=182_400,
        age_words="4 min",
        messages_per_second_in=400.0,
        messages_per_second_out=0.0,
        worst=(("orders-3", 120_000), ("orders-1", 40_000), ("orders-0", 22_400)),
    ),
    GroupLine(
        group="billing",
        state="falling behind",
        kafka_state="Stable",
        lag=9_100,
        age_words="over 30 min",
        messages_per_second_in=120.0,
        messages_per_second_out=80.5,
        unread_partitions=2,
    ),
    GroupLine(group="audit:eu", state="no data", kafka_state="", lag=None),
    GroupLine(group="search", state="ok", kafka_state="Stable", lag=12, age_words="under 1 s"),
)
BROKERS = tuple(
    BrokerLine(
        broker_id=number,
        rack=f"use1-az{number % 3 + 1}",
        leaders=leaders,
        replicas=3 * leaders,
        size_bytes=leaders * 1_200_000_000,
        disk_used_percent=40.0 + 5 * number,
        cpu_percent=20.0 + number,
        bytes_in_per_second=leaders * 30_000.0,
    )
    for number, leaders in enumerate((200, 190, 210, 0, 0, 0), start=1)
)
FORECASTS = (
    ForecastLine(
        broker_id=3, what="disk", now_percent=55.0, percent_per_hour=None, hours_left=None,
        words="not rising",
    ),
    ForecastLine(
        broker_id=1, what="disk", now_percent=78.0, percent_per_hour=0.8, hours_left=15.0,
        words="90 % in 15 h at +0.8 %/h",
    ),
    ForecastLine(
        broker_id=2, what="CPU", now_percent=41.0, percent_per_hour=0.1, hours_left=400.0,
        words="60 % in 17 d",
    ),
)  # fmt: skip
ADVICE = ("brokers 4, 5 and 6 lead nothing: `scale brokers 6` would spread the leaders",)


def view(*, at: datetime = NOW, **more: Any) -> ClusterView:
    given: dict[str, Any] = {
        "cluster": CLUSTER,
        "at": at,
        "scan_seconds": 30.0,
        "groups": GROUPS,
        "groups_total": len(GROUPS),
        "topics": ("orders", "refunds", "sk-old"),
        "brokers": BROKERS,
        "forecasts": FORECASTS,
        "advice": ADVICE,
    }
    return ClusterView.model_validate(given | more)


def crowd(count: int) -> tuple[GroupLine, ...]:
    """Many groups, worst first, with names as long as they come."""
    return tuple(
        GroupLine(
            group=f"team-{number % 40}.service-{number}.consumer-of-orders-and-payments.v{number}",
            state="falling behind" if number < 40 else "ok",
            kafka_state="Stable",
            lag=1_000_000 - number,
            age_words="6 min",
        )
        for number in range(count)
    )
