"""One lab for a module of scenarios: starting it costs half a minute."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.labs import Lab, running_lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    if running := os.environ.get("OTTLA_TEST_LAB"):
        # A lab somebody keeps up while writing scenarios; it is left as it is.
        yield Lab.found(Path(running))
        return
    with running_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab
