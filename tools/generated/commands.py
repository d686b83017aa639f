"""The command line, as its own help tells it, and the settings of the cloud."""

from __future__ import annotations

import click

from cumulet.app.config import VARIABLES
from cumulet.cli.main import main as cumulet
from generated import NOTE


def commands_page() -> str:
    lines = ["# Commands\n", NOTE]
    context = click.Context(cumulet, info_name="cumulet")
    lines += ["```text", cumulet.get_help(context), "```\n"]
    for name in cumulet.list_commands(context):
        command = cumulet.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context, terminal_width=100)
        lines += [f"## cumulet {name}\n", "```text", command.get_help(inner), "```\n"]
    return "\n".join(lines)


def settings_page() -> str:
    lines = [
        "# Settings\n",
        NOTE,
        "A cloud is set up by the options of `cumulet up`, by environment variables, and by what",
        "is in its data folder. There is no file of settings.\n",
        "## Options of cumulet up\n",
        "| option | default | what it does |",
        "|---|---|---|",
    ]
    context = click.Context(cumulet, info_name="cumulet")
    up = cumulet.get_command(context, "up")
    assert up is not None
    inner = click.Context(up, info_name="up", parent=context)
    lines += [option_row(one, inner) for one in up.params if isinstance(one, click.Option)]
    lines += [
        "\n## Environment variables\n",
        "Read by the program itself. `cumulet env` prints those that other programs read, such as "
        "`AWS_ENDPOINT_URL`. Those of OpenTelemetry are in "
        "[use your own tools](../guides/use-your-own-tools.md).\n",
        "| variable | what it does |",
        "|---|---|",
        *(f"| `{name}` | {meaning} |" for name, meaning in sorted(VARIABLES.items())),
    ]
    return "\n".join(lines) + "\n"


def option_row(option: click.Option, context: click.Context) -> str:
    told = option.get_help_extra(context)
    default = f"`{told['default']}`" if "default" in told else ""
    spelled = " ".join([*option.opts, "" if option.is_flag else option.make_metavar(context)])
    many = " May be given several times." if option.multiple else ""
    variable = f" Or `{option.envvar}` in the environment." if option.envvar else ""
    words = cell(f"{option.help or ''}{many}{variable}")
    return f"| `{cell(spelled)}` | {default} | {words} |"


def cell(text: str) -> str:
    """Text as it may stand in a table."""
    return " ".join(text.split()).replace("|", "\\|")
