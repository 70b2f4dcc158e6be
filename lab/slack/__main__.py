"""`python -m lab.slack`: the workspace alone, for trying any Slack app without the rest of the lab."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from lab.slack.manifest import ManifestMistake
from lab.slack.rates import MODES
from lab.slack.seed import DEFAULT_SEED, SeedMistake
from lab.slack.server import DEFAULT_MANIFEST, Running, serve


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lab.slack", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--manifest", type=Path, default=DEFAULT_MANIFEST)
    parser.add_argument("--seed-file", type=Path, default=DEFAULT_SEED)
    parser.add_argument("--rates", choices=MODES, default="real")
    parser.add_argument("--random-seed", type=int, default=0)
    return parser.parse_args()


def _tell(running: Running) -> None:
    lines = [
        f"page       {running.page_url}",
        f"Web API    {running.api_url}",
        f"bot token  {running.bot_token}",
        f"app token  {running.app_token}",
    ]
    lines += [f"{p.name:<10} {running.page_url}?as={p.id}  {p.role}" for p in running.people]
    print("\n".join(lines), flush=True)


async def _serve(arguments: argparse.Namespace) -> Running:
    try:
        return await serve(
            port=arguments.port,
            manifest_path=arguments.manifest,
            seed_path=arguments.seed_file,
            rate_mode=arguments.rates,
            random_seed=arguments.random_seed,
        )
    except (ManifestMistake, SeedMistake) as mistake:
        sys.exit(f"lab.slack: {mistake}")
    except OSError as problem:
        sys.exit(f"lab.slack: port {arguments.port} cannot be used: {problem.strerror}")


async def _run(arguments: argparse.Namespace) -> None:
    running = await _serve(arguments)
    _tell(running)
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await stop.wait()
    await running.close()


if __name__ == "__main__":
    asyncio.run(_run(_arguments()))
