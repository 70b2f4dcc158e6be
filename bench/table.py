"""One line per plan: the columns of the frozen benchmark, and the same as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from changes.placement.measure import Metrics

HEAD = (
    "case",
    "plan",
    "TB",
    "÷LB",
    "moved",
    "touched",
    "disk",
    "leaders",
    "count max",
    "top 10 replicas / leaders",
    "s, MB",
)


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of one plan; a frozen plan of another tool has no time and memory."""

    case: str
    plan: str
    metrics: Metrics
    seconds: float | None = None
    cpu_seconds: float | None = None
    peak_mib: float | None = None

    def cells(self) -> tuple[str, ...]:
        m = self.metrics
        over = m.bytes_over_bound
        replicas, leaders = m.top_replicas, m.top_leaders
        return (
            self.case,
            self.plan,
            f"{m.moved_bytes / 1e12:.3f}",
            "–" if over is None else f"{over:.3f}",
            str(m.replicas_moved),
            str(m.partitions_touched),
            f"{m.disk_max_over_mean:.4f} / {m.disk_min_over_mean:.4f}",
            f"{m.leaders_max_over_mean:.3f} / {m.leaders_min_over_mean:.3f}",
            f"{m.replicas_max_over_mean:.3f}",
            f"{replicas.worst:.2f} ({replicas.median:.2f}) / "
            f"{leaders.worst:.2f} ({leaders.median:.2f})",
            "–"
            if self.seconds is None or self.peak_mib is None
            else f"{self.seconds:.2f}, {self.peak_mib:.0f}",
        )

    def as_json(self) -> dict[str, object]:
        return {
            "case": self.case,
            "plan": self.plan,
            **asdict(self.metrics),
            "bytes_over_bound": self.metrics.bytes_over_bound,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "peak_mib": self.peak_mib,
        }


def table(rows: Sequence[Row]) -> str:
    """Markdown, so that it can be pasted where people read it; columns aligned for a terminal."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    ruler = "|".join("-" * (width + 2) for width in widths)
    drawn = [
        "| " + " | ".join(f"{cell:<{w}}" for cell, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    ]
    return "\n".join([drawn[0], f"|{ruler}|", *drawn[1:]])
