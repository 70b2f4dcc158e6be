"""The lab's own tests take their time: `make test` runs them, `make check` does not."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and not item.get_closest_marker("lab"):
            item.add_marker(pytest.mark.slow)
