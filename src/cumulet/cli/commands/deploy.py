"""`cumulet deploy`: build a SAM, CloudFormation or CDK folder, upload it, and follow its stacks."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import click

from cumulet.cli.addresses import local_url
from cumulet.cli.deploying.assembly import (
    AssembledStack,
    Publisher,
    is_assembly,
    is_cdk,
    read_assembly,
    synthesize,
)
from cumulet.cli.deploying.build import Building, find_template
from cumulet.cli.deploying.follow import Follower
from cumulet.cli.deploying.package import Packager
from cumulet.cli.deploying.samconfig import read_samconfig
from cumulet.cli.main import data_option, endpoint_option, json_option
from cumulet.cli.reach import Reach, find_cloud
from cumulet.cli.say import EXIT_FAILED, Progress, fail, say, show, show_json, table

_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")


@click.command("deploy")
@click.argument("folder", type=click.Path(exists=True, path_type=Path), default=".")
@data_option
@endpoint_option
@json_option
@click.option("--stack-name", default=None, help="Default: of samconfig.toml, or the folder's.")
@click.option("--template", default=None, help="Default: template.yaml, .yml or .json.")
@click.option("--parameter", "-p", "parameters", multiple=True, metavar="NAME=VALUE")
@click.option("--no-build", is_flag=True, help="Do not install the functions' dependencies.")
def command(
    folder: Path,
    data: Path | None,
    endpoint: str | None,
    as_json: bool,
    stack_name: str | None,
    template: str | None,
    parameters: tuple[str, ...],
    no_build: bool,
) -> None:
    """Build what FOLDER needs, deploy its template as a stack, and print the outputs.

    FOLDER may also be a CDK application, which is run as its cdk.json says, or what one wrote.
    """
    reach = find_cloud(data, endpoint)
    if template is None and is_cdk(folder):
        _deploy_cdk(reach, folder, stack_name, _parse_parameters(parameters), as_json)
        return
    path = find_template(folder, template)
    settings = read_samconfig(path.parent)
    name = stack_name or settings.stack_name or _stack_name(path.parent)
    given = {**settings.parameters, **_parse_parameters(parameters)}
    progress = Progress()
    building = Building(path, progress)
    document = building.load() if no_build else building.build()
    template_url = Packager(reach, path.parent, progress).package(document)
    outputs = deploy_stack(reach, name, template_url, given, progress)
    if as_json:
        show_json({"StackName": name, "Outputs": outputs})
    else:
        _show_outputs(reach, name, outputs)


def _deploy_cdk(
    reach: Reach, folder: Path, wanted: str | None, given: dict[str, str], as_json: bool
) -> None:
    """Deploy the stacks of a CDK application in the order in which they need each other."""
    progress = Progress()
    publisher = Publisher(reach, progress)
    assembly = folder
    if not is_assembly(folder):
        assembly = synthesize(folder, {**reach.exports(), **publisher.environment()}, progress)
    stacks = _chosen(read_assembly(assembly), wanted, given)
    for stack in stacks:
        publisher.check(stack)
    for stack in stacks:
        url = publisher.publish(stack)
        name = wanted if wanted is not None and len(stacks) == 1 else stack.name
        taken = {key: value for key, value in given.items() if key in stack.parameters()}
        outputs = deploy_stack(reach, name, url, taken, progress)
        if as_json:
            show_json({"StackName": name, "Outputs": outputs})
        else:
            _show_outputs(reach, name, outputs)


def _chosen(
    stacks: list[AssembledStack], wanted: str | None, given: dict[str, str]
) -> list[AssembledStack]:
    """The stacks to deploy: a name picks one of several, and renames an only one."""
    if not stacks:
        fail("the application has no stacks")
    if len(stacks) > 1 and wanted is not None:
        stacks = [stack for stack in stacks if stack.name == wanted]
        if not stacks:
            fail(f"the application has no stack {wanted}")
    for key in given:
        if not any(key in stack.parameters() for stack in stacks):
            fail(f"no stack has a parameter {key}")
    return stacks


def deploy_stack(
    reach: Reach, name: str, template_url: str, parameters: dict[str, str], progress: Progress
) -> dict[str, str]:
    """Create or update the stack through a change set; ends the command when it fails."""
    from botocore.exceptions import ClientError

    client = reach.client("cloudformation")
    follower = Follower(client, name, progress)
    kind = follower.change_set_type()
    change_set = f"deploy-{follower.started_ms}"
    try:
        client.create_change_set(
            StackName=name,
            ChangeSetName=change_set,
            ChangeSetType=kind,
            TemplateURL=template_url,
            Capabilities=_CAPABILITIES,
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
        )
        made = follower.wait_for_change_set(change_set)
        if made["Status"] == "FAILED":
            reason = made.get("StatusReason", "")
            client.delete_change_set(StackName=name, ChangeSetName=change_set)
            if not any(text in reason for text in _NO_CHANGES):
                fail(reason)
            progress.done()
            say(f"{name} is up to date")
        else:
            client.execute_change_set(StackName=name, ChangeSetName=change_set)
            if not follower.follow(kind):
                sys.exit(EXIT_FAILED)
    except ClientError as error:
        progress.done()
        fail(error.response["Error"]["Message"])
    stack = client.describe_stacks(StackName=name)["Stacks"][0]
    return {row["OutputKey"]: row["OutputValue"] for row in stack.get("Outputs", [])}


def _stack_name(folder: Path) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", "-", folder.resolve().name).strip("-")
    return words if words[:1].isalpha() else f"stack-{words}"


def _parse_parameters(pairs: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator:
            fail(f"{pair!r} is not a parameter", "write --parameter NAME=VALUE", 2)
        found[key] = value
    return found


def _show_outputs(reach: Reach, name: str, outputs: dict[str, Any]) -> None:
    if not outputs:
        say(f"{name} has no outputs")
        return
    rows = [
        (key, local_url(value, reach.public or reach.endpoint) or value)
        for key, value in outputs.items()
    ]
    show(table(("OUTPUT", "VALUE"), rows))
