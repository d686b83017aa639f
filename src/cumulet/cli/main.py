"""`cumulet`: the list of commands. Each is loaded only when it is called."""

from __future__ import annotations

import importlib
from keyword import iskeyword
from pathlib import Path
from typing import Any

import click

from cumulet import __version__
from cumulet.cli.say import EXIT_FAILED, EXIT_UNREACHABLE, fail

_COMMANDS = {
    "up": "start the cloud and run it in the foreground",
    "env": "print the exports with which every AWS client reaches the cloud",
    "deploy": "build and deploy a SAM or CloudFormation folder",
    "invoke": "invoke a function and show its answer and its log",
    "logs": "show the log of a function or a log group",
    "ls": "list what is deployed",
    "mail": "show the messages that user pools sent",
    "import": "put the rows of files into a table",
    "hosts": "register machines that you run, as EC2 instances",
    "costs": "say what the month's usage would have cost on AWS",
    "console": "print a link that opens the console, signed in",
    "check": "verify that the data on disk is whole",
    "doctor": "say what this machine allows, and what is missing",
    "backup": "copy the data of a running or stopped cloud",
    "restore": "make a data folder from a backup",
}


class Commands(click.Group):
    """A group that imports `cumulet.cli.commands.<command>` when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a newcomer needs them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in _COMMANDS:
            return None
        module = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        found = importlib.import_module(f"cumulet.cli.commands.{module}").command
        assert isinstance(found, click.Command)
        return found

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a cloud that cannot be reached ends it with its own exit code."""
        try:
            return super().invoke(ctx)
        except Exception as cause:
            if type(cause).__module__ != "botocore.exceptions":
                raise
            from botocore.exceptions import ConnectionError as NoConnection
            from botocore.exceptions import HTTPClientError

            lost = isinstance(cause, NoConnection | HTTPClientError)
            fail(str(cause), code=EXIT_UNREACHABLE if lost else EXIT_FAILED)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list without importing the commands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cumulet")
def main() -> None:
    """A small cloud of your own: AWS's wire protocols, on your own machine."""


def data_option(function: click.decorators.FC) -> click.decorators.FC:
    """`--data DIR`, which every command has."""
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        default=None,
        help="The cloud's data folder. Default: $CUMULET_DATA, or ~/.local/share/cumulet.",
    )(function)


def json_option(function: click.decorators.FC) -> click.decorators.FC:
    """`--json`, for programs."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(
        function
    )


def endpoint_option(function: click.decorators.FC) -> click.decorators.FC:
    """`--endpoint URL`, for a cloud that is not found by its data folder."""
    return click.option(
        "--endpoint", default=None, help="The cloud's URL, when it is not on this data folder."
    )(function)
