"""The store forgets what is old and never invents."""

from __future__ import annotations

import pytest

from lab.aws import series as series_module
from lab.aws.series import SeriesStore, metric

CPU = metric("AWS/Kafka", "CpuUser", {"Cluster Name": "orders", "Broker ID": "1"})


def test_points_older_than_the_retention_are_forgotten() -> None:
    store = SeriesStore(retention_seconds=100)
    for at in range(0, 2_000, 5):
        store.add(CPU, at=float(at), value=1.0)
    times, values = store.between(CPU, start=0, end=1e9)
    assert len(times) == len(values) <= (100 + 600) / 5 + 1
    assert times[-1] == 1995.0


def test_the_end_is_exclusive_and_the_start_inclusive() -> None:
    store = SeriesStore()
    for at in (5.0, 10.0, 15.0):
        store.add(CPU, at=at, value=at)
    assert list(store.between(CPU, start=5.0, end=15.0)[0]) == [5.0, 10.0]


def test_time_does_not_go_back() -> None:
    store = SeriesStore()
    store.add(CPU, at=10.0, value=1.0)
    store.add(CPU, at=5.0, value=2.0)
    assert list(store.between(CPU, start=0, end=20)[1]) == [1.0]


def test_a_silent_series_is_dropped_after_the_retention() -> None:
    store = SeriesStore(retention_seconds=100)
    store.add(CPU, at=10.0, value=1.0)
    store.forget_silent(now=109.0)
    assert list(store.names()) == [CPU]
    store.forget_silent(now=111.0)
    assert not list(store.names())


def test_the_number_of_series_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series_module, "SERIES_MAX", 2)
    store = SeriesStore()
    for broker in range(5):
        store.add(metric("AWS/Kafka", "CpuUser", {"Broker ID": str(broker)}), at=1.0, value=1.0)
    assert len(list(store.names())) == 2
