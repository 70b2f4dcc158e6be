"""`python -m lab`: the product on a laptop, from one command line.

The surprising truth: a command's module is imported when the command is used. `lab say` must answer at
once, and `lab up` brings half a cloud with it.
"""

from __future__ import annotations

from importlib import import_module

import click

_COMMANDS = {
    "up": "lab.cli.up",
    "status": "lab.cli.status",
    "down": "lab.cli.status",
    "say": "lab.cli.talk",
    "press": "lab.cli.talk",
    "read": "lab.cli.talk",
    "fault": "lab.cli.faults",
    "load": "lab.cli.load",
}


class _OnDemand(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click's signature)
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(_COMMANDS[cmd_name]), cmd_name)
        return command


@click.command(cls=_OnDemand, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Real Kafka brokers, a local MSK and CloudWatch, a local Slack, and Ottla itself."""


if __name__ == "__main__":
    main(prog_name="python -m lab")
