"""The controller: one process that keeps the cluster's metadata, and nothing else.

The surprising truth: it is the only folder that needs formatting by Kafka's own tool, because the tool
writes the first quorum into it; brokers find their way from the controller's address.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from lab.children import Child, ChildFailed, Children
from lab.kafka import properties
from lab.kafka.command import CONTROLLER_HEAP_MIB, ENVIRONMENT, KafkaPrograms

_FORMAT_SECONDS_MAX = 60


async def start_controller(
    *,
    children: Children,
    programs: KafkaPrograms,
    folder: Path,
    cluster_id: str,
    port: int,
    jolokia_port: int,
) -> Child:
    """Format the controller's folder and start it."""
    file = _lay_out(folder, port=port)
    await _format(programs=programs, file=file, cluster_id=cluster_id)
    command = programs.server(
        properties=file, jolokia_port=jolokia_port, heap_mib=CONTROLLER_HEAP_MIB
    )
    return await children.start(
        name="controller", command=command, environment=ENVIRONMENT, folder=folder
    )


def _lay_out(folder: Path, *, port: int) -> Path:
    folder.mkdir(parents=True)
    file = folder / "server.properties"
    text = properties.controller(port=port, log_dir=folder / "data")
    file.write_text(text, encoding="utf-8")
    return file


async def _format(*, programs: KafkaPrograms, file: Path, cluster_id: str) -> None:
    arguments = ("format", "-t", cluster_id, "-c", str(file), "--standalone")
    await run_tool(
        "formatting the controller's folder",
        command=programs.tool("kafka.tools.StorageTool", *arguments),
        seconds_max=_FORMAT_SECONDS_MAX,
    )


async def run_tool(doing: str, *, command: tuple[str, ...], seconds_max: float) -> str:
    """Run one of Kafka's tools to its end; its last words are in the sentence when it fails."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), seconds_max)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise ChildFailed(f"{doing}: no end after {seconds_max:.0f} s") from None
    text = output.decode(errors="replace")
    if process.returncode != 0:
        raise ChildFailed(f"{doing}: {' '.join(text.split())[-500:]}")
    return text
