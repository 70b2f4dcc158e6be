"""Numbers on an axis that a person reads at a glance: 12 MB/s, 85 %, 1.5 k."""

from __future__ import annotations

_STEPS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_PERCENT = frozenset(
    {"CpuUser", "CpuSystem", "CpuIdle", "CpuIoWait", "KafkaDataLogsDiskUsed", "HeapMemoryAfterGC"}
)


def unit_of(metric_name: str) -> str:
    """The unit of a metric by its name; CloudWatch knows it, the store does not keep it."""
    if metric_name in _PERCENT:
        return "%"
    if metric_name.endswith("PerSec"):
        return "B/s" if "Bytes" in metric_name else "/s"
    return ""


def common_unit(metric_names: set[str]) -> str:
    """The unit all lines of an axis share, or none."""
    units = {unit_of(name) for name in metric_names}
    return units.pop() if len(units) == 1 else ""


def tick_text(value: float, unit: str) -> str:
    """A tick's text, its unit with it."""
    if unit == "%":
        return f"{value:g} %"
    for size, letter in _STEPS:
        if abs(value) >= size:
            return f"{value / size:.4g} {letter}{unit}".rstrip()
    return f"{value:.4g} {unit}".rstrip()
