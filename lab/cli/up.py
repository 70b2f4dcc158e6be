"""`lab up`: bring a lab up and keep it in the foreground."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time

import click

from lab.addresses import FolderRefused, LabFolder, NoFreePort
from lab.children import ChildFailed
from lab.cli.found import dir_option
from lab.kafka.brokers import AZ_IDS
from lab.kafka.jars import BadJar
from lab.kafka.java import NoJava
from lab.kafka.locked import DEFAULT_VERSION, BadLock, versions
from lab.redis import NoRedis
from lab.slack.manifest import ManifestMistake
from lab.supervisor import run
from lab.supervisor_parts import LabOptions

_REFUSED = 2
_REFUSALS = (FolderRefused, NoFreePort, NoJava, NoRedis, BadJar, BadLock, ManifestMistake)
_BROKERS_MAX = 30


def _multiple_of_azs(_context: click.Context, _option: click.Parameter, brokers: int) -> int:
    azs = len(AZ_IDS)
    if not azs <= brokers <= _BROKERS_MAX or brokers % azs:
        below = min(max(azs, brokers // azs * azs), _BROKERS_MAX)
        above = min(below + azs, _BROKERS_MAX)
        raise click.BadParameter(
            f"{brokers} brokers cannot be spread evenly over {azs} AZs; "
            f"{' or '.join(str(count) for count in sorted({below, above}))} can"
        )
    return brokers


@click.command()
@click.option(
    "--brokers",
    default=3,
    show_default=True,
    callback=_multiple_of_azs,
    help=f"Brokers to start with, a multiple of {len(AZ_IDS)}.",
)
@click.option(
    "--kafka-version",
    default=DEFAULT_VERSION,
    show_default=True,
    type=click.Choice(versions()),
    help="Apache Kafka's version.",
)
@click.option("--no-load", is_flag=True, help="No topics, no data, no traffic.")
@click.option("--no-ottla", is_flag=True, help="No bot, workers and watch.")
@click.option("--bare", is_flag=True, help="Kafka, Redis and load only: no Slack, AWS and Ottla.")
@click.option("--tour", is_flag=True, help="Play the scripted tour once everything is up.")
@click.option("--port", "page_port", type=click.IntRange(1, 65_535), help="The Slack page's port.")
@dir_option
def up(
    brokers: int,
    kafka_version: str,
    no_load: bool,
    no_ottla: bool,
    bare: bool,
    tour: bool,
    page_port: int | None,
    folder: LabFolder,
) -> None:
    """Start the lab in the foreground; Ctrl-C stops it."""
    if tour and (no_ottla or bare):
        raise click.UsageError("--tour needs Ottla; leave --no-ottla and --bare away")
    options = LabOptions(
        folder=folder,
        brokers=brokers,
        kafka_version=kafka_version,
        load=not no_load,
        ottla=not no_ottla,
        tour=tour,
        bare=bare,
        page_port=page_port,
    )
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    # A broker that starts or dies is said in the lab's own words, not by its clients' retries.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        asyncio.run(run(options=options, tell=_tell))
    except _REFUSALS as refusal:
        click.echo(f"lab: {refusal}", err=True)
        sys.exit(_REFUSED)
    except ChildFailed as failure:
        click.echo(f"lab: {failure}", err=True)
        sys.exit(1)


def _tell(words: str) -> None:
    # Whoever read the output may be gone; the lab goes on.
    with contextlib.suppress(BrokenPipeError):
        click.echo(f"{time.strftime('%H:%M:%S')} {words}")
