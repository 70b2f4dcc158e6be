"""One task per cluster of `clusters.yaml`; a cluster that is added, changed or taken away while the
watch runs is followed, left and followed anew, without the others noticing."""

from __future__ import annotations

import asyncio
import logging

from policies import Cluster
from watch.cluster_watch import ClusterWatch
from watch.runtime import Runtime

log = logging.getLogger(__name__)

FILES_SECONDS = 2.0
END_SECONDS_MAX = 10.0


async def watch_all(runtime: Runtime, *, stop: asyncio.Event) -> None:
    """Look at every cluster until told to stop."""
    running: dict[str, tuple[Cluster, asyncio.Task[None]]] = {}
    try:
        while not stop.is_set():
            await follow(runtime, running)
            try:
                await asyncio.wait_for(stop.wait(), FILES_SECONDS)
            except TimeoutError:
                continue
    finally:
        await end([task for _, task in running.values()])


async def follow(runtime: Runtime, running: dict[str, tuple[Cluster, asyncio.Task[None]]]) -> None:
    wanted = runtime.kept.refresh().clusters
    for name in [name for name, (known, _) in running.items() if wanted.get(name) != known]:
        log.info("%s is not looked at any more as it was", name)
        await end([running.pop(name)[1]])
    for name, cluster in wanted.items():
        if name not in running:
            one = ClusterWatch(cluster=cluster, runtime=runtime)
            running[name] = (cluster, asyncio.create_task(one.run(), name=f"watch-{name}"))


async def end(tasks: list[asyncio.Task[None]]) -> None:
    """Each gives its lease back, so that another process may go on at once."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=END_SECONDS_MAX)
