"""Run Command: scripts sent to hosts over SSH, and how they went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cumulet.core.clock import iso_time, new_uuid
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.ssm.errors import ValidationException
from cumulet.services.ssm.hosts import store
from cumulet.services.ssm.hosts.errors import (
    DuplicateInstanceId,
    InvalidCommandId,
    InvalidDocument,
    InvalidFilterKey,
    InvalidInstanceId,
    InvalidParameters,
    InvalidPluginName,
    InvocationDoesNotExist,
)
from cumulet.services.ssm.hosts.limits import (
    DELIVERY_SECONDS_DEFAULT,
    EXECUTION_SECONDS_DEFAULT,
    EXECUTION_SECONDS_MAX,
    INSTANCES_MAX,
    LIST_MAX,
    SCRIPT_BYTES_MAX,
    SHOWN_CHARACTERS_MAX,
)
from cumulet.services.ssm.hosts.look import Lookout, Seen
from cumulet.services.ssm.hosts.model import Command, Host, Run
from cumulet.services.ssm.hosts.runner import Runner

Request = Mapping[str, Any]

DOCUMENT = "AWS-RunShellScript"
PLUGIN = "aws:runShellScript"
_PARAMETERS = frozenset(("commands", "workingDirectory", "executionTimeout"))
_NOT_HERE = (
    "DocumentHash",
    "OutputS3BucketName",
    "OutputS3KeyPrefix",
    "OutputS3Region",
    "ServiceRoleArn",
    "NotificationConfig",
    "CloudWatchOutputConfig",
    "AlarmConfiguration",
)


def sent_to(ctx: Context, request: Request) -> list[str]:
    """The document and the instances that a command names, as IAM's resources."""
    named = request.get("InstanceIds") or ["*"]
    document = f"arn:aws:ssm:{ctx.scope.region}::document/{request['DocumentName']}"
    return [document, *(ctx.scope.arn("ec2", f"instance/{one}") for one in named)]


@operation("SendCommand", resource=sent_to)
async def send_command(ctx: Context, request: Request) -> dict[str, Any]:
    """Run a shell script on hosts; it goes on after this is answered."""
    for name in _NOT_HERE:
        if request.get(name):
            raise ValidationException(f"{name} is not supported by Cumulet.")
    if request["DocumentName"] not in (
        DOCUMENT,
        f"arn:aws:ssm:{ctx.scope.region}::document/{DOCUMENT}",
    ):
        raise InvalidDocument(
            f"document {request['DocumentName']} does not exist: there is {DOCUMENT}"
        )
    parameters = {key: list(value) for key, value in (request.get("Parameters") or {}).items()}
    timeout = _check(parameters)
    hosts = await _targets(ctx, request)
    now = ctx.clock.now()
    command = Command(
        new_uuid(ctx.clock),
        DOCUMENT,
        request.get("Comment") or "",
        tuple(host.id for host in hosts),
        parameters,
        now,
        now + (request.get("TimeoutSeconds") or DELIVERY_SECONDS_DEFAULT) + timeout,
        timeout,
    )
    await ctx.transact(store.add_command, command)
    ctx.need(Runner).begin(ctx.scope, command, hosts)
    return {"Command": _shown(command, [Run(command.id, host.id) for host in hosts])}


def _check(parameters: Mapping[str, list[str]]) -> int:
    """The seconds that the script may run. Raises InvalidParameters."""
    if unknown := set(parameters) - _PARAMETERS:
        raise InvalidParameters(f"Parameter {min(unknown)} is not defined in {DOCUMENT}.")
    lines = parameters.get("commands") or []
    if not lines:
        raise InvalidParameters("Parameter commands is required.")
    if len("\n".join(lines).encode()) > SCRIPT_BYTES_MAX:
        raise InvalidParameters(f"The commands are longer than {SCRIPT_BYTES_MAX} bytes.")
    given = (parameters.get("executionTimeout") or [str(EXECUTION_SECONDS_DEFAULT)])[0]
    if not given.isdigit() or not 1 <= int(given) <= EXECUTION_SECONDS_MAX:
        raise InvalidParameters(
            f"Parameter executionTimeout must be between 1 and {EXECUTION_SECONDS_MAX}."
        )
    return int(given)


async def _targets(ctx: Context, request: Request) -> list[Host]:
    every = {host.id: host for host in await ctx.transact(store.hosts)}
    ids = request.get("InstanceIds") or []
    if len(set(ids)) < len(ids):
        raise DuplicateInstanceId("You cannot specify an instance ID in more than one association.")
    if missing := [one for one in ids if one not in every]:
        raise InvalidInstanceId(f"Instances {missing} are not in a valid state for account")
    chosen = [every[one] for one in ids]
    for target in request.get("Targets") or ():
        key, values = target.get("Key", ""), target.get("Values") or ()
        chosen += [host for host in every.values() if _is_target(host, key, values)]
    found = {host.id: host for host in chosen}
    if not found:
        raise InvalidInstanceId("The command names no host.")
    if len(found) > INSTANCES_MAX:
        raise ValidationException(f"A command goes to {INSTANCES_MAX} hosts at most.")
    return list(found.values())


def _is_target(host: Host, key: str, values: Sequence[str]) -> bool:
    tags = {"Name": host.name, **host.tags}
    if key == "InstanceIds":
        return host.id in values
    if key == "tag-key":
        return any(one in tags for one in values)
    if key.startswith("tag:"):
        return tags.get(key[4:]) in values
    raise ValidationException(
        f"Targets can be chosen by InstanceIds, tag-key and tag:…, not {key}."
    )


async def _load(ctx: Context, command_id: str) -> Command:
    async def read(tx: Transaction, scope: Scope) -> Command | None:
        return await store.COMMANDS.load(tx, scope, command_id)

    found = await ctx.transact(read)
    if found is None:
        raise InvalidCommandId(f"{command_id} is not the id of a command")
    return found


@operation("GetCommandInvocation")
async def get_command_invocation(ctx: Context, request: Request) -> dict[str, Any]:
    """How a command went on one host, with what it said."""
    if request.get("PluginName") not in (None, PLUGIN):
        raise InvalidPluginName(f"The document has the plugin {PLUGIN} only.")
    command = await _load(ctx, request["CommandId"])

    async def read(tx: Transaction, scope: Scope) -> Run | None:
        return await store.RUNS.load(tx, scope, command.id, request["InstanceId"])

    run = await ctx.transact(read)
    if run is None:
        raise InvocationDoesNotExist("The command was not sent to that instance.")
    shown: dict[str, Any] = {
        "CommandId": command.id,
        "InstanceId": run.instance,
        "Comment": command.comment,
        "DocumentName": command.document,
        "DocumentVersion": "$DEFAULT",
        "PluginName": PLUGIN,
        "ResponseCode": run.code,
        "Status": run.status,
        "StatusDetails": run.status,
        "StandardOutputContent": run.output[:SHOWN_CHARACTERS_MAX],
        "StandardErrorContent": run.errors[:SHOWN_CHARACTERS_MAX],
        "StandardOutputUrl": "",
        "StandardErrorUrl": "",
        "ExecutionStartDateTime": iso_time(run.began_at) if run.began_at else "",
        "ExecutionEndDateTime": iso_time(run.ended_at) if run.ended_at else "",
        "ExecutionElapsedTime": f"PT{max(0.0, run.ended_at - run.began_at):.3f}S",
    }
    return shown


@operation("ListCommands")
async def list_commands(ctx: Context, request: Request) -> dict[str, Any]:
    """The commands of the last thirty days, the newest first."""
    _refuse_filters(request)
    commands, token = await _commands(ctx, request)
    shown = [_shown(one, await _runs(ctx, one.id)) for one in commands]
    return {"Commands": shown, **token}


@operation("ListCommandInvocations")
async def list_command_invocations(ctx: Context, request: Request) -> dict[str, Any]:
    """How commands went, host by host."""
    _refuse_filters(request)
    commands, token = await _commands(ctx, request)
    rows = [
        _invocation(command, run)
        for command in commands
        for run in await _runs(ctx, command.id)
        if request.get("InstanceId") in (None, run.instance)
    ]
    return {"CommandInvocations": rows, **token}


def _refuse_filters(request: Request) -> None:
    if request.get("Filters"):
        raise InvalidFilterKey("Cumulet lists commands by CommandId and InstanceId only.")


async def _commands(ctx: Context, request: Request) -> tuple[list[Command], dict[str, str]]:
    if request.get("CommandId"):
        return [await _load(ctx, request["CommandId"])], {}
    most = min(request.get("MaxResults") or LIST_MAX, LIST_MAX)
    token = request.get("NextToken")
    try:
        after = tuple(read_token(token)) if token else None
    except (ValueError, TypeError):
        raise ValidationException("The next token is not valid.") from None

    async def read(tx: Transaction, scope: Scope) -> list[Command]:
        return await store.COMMANDS.lookup(
            tx, scope, "time", limit=most + 1, after=after, reverse=True
        )

    found = await ctx.transact(read)
    part = found[:most]
    more = {}
    if len(found) > most:
        more["NextToken"] = make_token([part[-1].requested_at, part[-1].id])
    wanted = request.get("InstanceId")
    return [one for one in part if wanted is None or wanted in one.instances], more


async def _runs(ctx: Context, command_id: str) -> list[Run]:
    async def read(tx: Transaction, scope: Scope) -> list[Run]:
        return await store.RUNS.scan(tx, scope, command_id, limit=INSTANCES_MAX)

    return await ctx.transact(read)


def _shown(command: Command, runs: Sequence[Run]) -> dict[str, Any]:
    ended = [run for run in runs if run.has_ended]
    failed = [run for run in ended if run.status != "Success"]
    if len(ended) < len(runs):
        status = "InProgress" if any(run.began_at for run in runs) else "Pending"
    else:
        status = failed[0].status if failed else "Success"
    return {
        "CommandId": command.id,
        "DocumentName": command.document,
        "DocumentVersion": "$DEFAULT",
        "Comment": command.comment,
        "ExpiresAfter": command.expires_at,
        "Parameters": command.parameters,
        "InstanceIds": list(command.instances),
        "RequestedDateTime": command.requested_at,
        "Status": status,
        "StatusDetails": status,
        "TargetCount": len(runs),
        "CompletedCount": len(ended),
        "ErrorCount": len(failed),
        "TimeoutSeconds": int(command.expires_at - command.requested_at),
    }


def _invocation(command: Command, run: Run) -> dict[str, Any]:
    return {
        "CommandId": command.id,
        "InstanceId": run.instance,
        "Comment": command.comment,
        "DocumentName": command.document,
        "DocumentVersion": "$DEFAULT",
        "RequestedDateTime": command.requested_at,
        "Status": run.status,
        "StatusDetails": run.status,
        "CommandPlugins": [
            {
                "Name": PLUGIN,
                "Status": run.status,
                "StatusDetails": run.status,
                "ResponseCode": run.code,
                "Output": run.output[:2_500],
            }
        ],
    }


@operation("CancelCommand")
async def cancel_command(ctx: Context, request: Request) -> dict[str, Any]:
    """Stop what has not ended yet, on all of the command's hosts or on some."""
    command = await _load(ctx, request["CommandId"])
    chosen = request.get("InstanceIds") or list(command.instances)
    for instance in chosen:
        if instance not in command.instances:
            raise InvalidInstanceId(f"The command was not sent to {instance}.")
    await ctx.need(Runner).cancel(ctx.scope, command, chosen)
    return {}


@operation("DescribeInstanceInformation")
async def describe_instance_information(ctx: Context, request: Request) -> dict[str, Any]:
    """The hosts that commands can be sent to, and whether they answer."""
    hosts = await ctx.transact(store.hosts)
    seen = await ctx.need(Lookout).all(hosts)
    wanted = _wanted(request)
    rows = [_information(host, seen[host.id]) for host in hosts]
    return {
        "InstanceInformationList": [
            row for row in rows if all(row.get(key) in values for key, values in wanted)
        ]
    }


def _wanted(request: Request) -> list[tuple[str, list[str]]]:
    members = {"InstanceIds": "InstanceId", "PingStatus": "PingStatus",
               "PlatformTypes": "PlatformType", "ResourceType": "ResourceType"}  # fmt: skip
    given = [(one["Key"], one["Values"]) for one in request.get("Filters") or ()]
    given += [
        (one["key"], one["valueSet"]) for one in request.get("InstanceInformationFilterList") or ()
    ]
    for key, _ in given:
        if key not in members:
            raise InvalidFilterKey(f"Hosts cannot be found by {key}.")
    return [(members[key], list(values)) for key, values in given]


def _information(host: Host, seen: Seen) -> dict[str, Any]:
    return {
        "InstanceId": host.id,
        "Name": host.name,
        "ComputerName": host.name,
        "IPAddress": seen.address,
        "PingStatus": "Online" if seen.is_up else "ConnectionLost",
        "LastPingDateTime": seen.at,
        "PlatformType": "Linux",
        "ResourceType": "ManagedInstance",
        "RegistrationDate": host.added_at,
    }
