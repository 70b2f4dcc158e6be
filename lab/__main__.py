"""`python -m lab`: the product on a laptop, from one command line."""

from __future__ import annotations

import click

from lab.cli.load import load
from lab.cli.status import down, status
from lab.cli.up import up


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Real Kafka brokers, a local MSK and CloudWatch, a local Slack, and Ottla itself."""


for command in (up, status, down, load):
    main.add_command(command)

if __name__ == "__main__":
    main(prog_name="python -m lab")
