"""`python -m lab.slack`: the workspace alone, for trying any Slack app without the rest of the lab."""

import argparse
import asyncio
import signal
from pathlib import Path

from lab.slack.rates import MODES
from lab.slack.seed import DEFAULT_SEED
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
    print(f"page       {running.page_url}")
    print(f"Web API    {running.api_url}")
    print(f"bot token  {running.bot_token}")
    print(f"app token  {running.app_token}")
    for person in running.people:
        print(f"{person.name:<10} {running.page_url}?as={person.id}  {person.role}")


async def _run(arguments: argparse.Namespace) -> None:
    running = await serve(
        port=arguments.port,
        manifest_path=arguments.manifest,
        seed_path=arguments.seed_file,
        rate_mode=arguments.rates,
        random_seed=arguments.random_seed,
    )
    _tell(running)
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await stop.wait()
    await running.close()


if __name__ == "__main__":
    asyncio.run(_run(_arguments()))
