"""The start of a lab while another one starts: a port that was free a moment ago may be taken by now."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lab.addresses import HOST, LabFolder, NoFreePort
from lab.children import Children
from lab.supervisor_parts import LabOptions, LabParts
from lab.supervisor_start import Start, stages
from lab.supervisor_state import Progress


@pytest.fixture
def options(tmp_path: Path) -> LabOptions:
    return LabOptions(folder=LabFolder(tmp_path))


def starting(options: LabOptions) -> tuple[Start, LabParts]:
    parts = LabParts(children=Children(logs=options.folder.logs, tell=print, changed=lambda: None))
    progress = Progress(folder=options.folder, stages=stages(options), tell=lambda _: None)
    start = Start(options=options, parts=parts, progress=progress, changed=lambda: None)
    return start, parts


@pytest.fixture
def bound() -> Iterator[socket.socket]:
    """A port as another lab has it amid its start: bound, not listening yet."""
    with socket.socket() as theirs:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        theirs.bind((HOST, 0))
        yield theirs


def port_of(taken: socket.socket) -> int:
    return int(taken.getsockname()[1])


async def test_a_page_whose_port_was_taken_meanwhile_moves_to_the_next(
    options: LabOptions, bound: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.supervisor_start.PAGE_PORT_FIRST", port_of(bound))
    start, parts = starting(options)
    seen_free = start._page_port()
    assert seen_free == port_of(bound), "who only binds is not seen"
    bound.listen()
    await start._start_slack(seen_free)
    assert parts.slack is not None
    try:
        assert parts.slack.page_url != f"http://{HOST}:{seen_free}/"
        assert parts.slack.page_url.startswith(f"http://{HOST}:")
    finally:
        await parts.slack.close()


async def test_two_pages_that_start_at_once_have_a_port_each(
    options: LabOptions, bound: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both saw the same port free before either listened."""
    monkeypatch.setattr("lab.supervisor_start.PAGE_PORT_FIRST", port_of(bound))
    (one, ours), (other, theirs) = starting(options), starting(options)
    ports = one._page_port(), other._page_port()
    assert ports[0] == ports[1]
    bound.close()
    try:
        await asyncio.gather(one._start_slack(ports[0]), other._start_slack(ports[1]))
        assert ours.slack is not None
        assert theirs.slack is not None
        assert ours.slack.page_url != theirs.slack.page_url
    finally:
        for parts in (ours, theirs):
            if parts.slack is not None:
                await parts.slack.close()


async def test_the_very_port_that_was_asked_for_is_not_exchanged_for_another(
    options: LabOptions, bound: socket.socket
) -> None:
    start, parts = starting(replace(options, page_port=port_of(bound)))
    seen_free = start._page_port()
    bound.listen()
    with pytest.raises(NoFreePort, match=f"port {seen_free} for the page is taken; give another"):
        await start._start_slack(seen_free)
    assert parts.slack is None
