"""EC2's face: hosts described, started, stopped and tagged. Nothing makes a machine."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.ssm.hosts import store
from cumulet.services.ssm.hosts.errors import ec2
from cumulet.services.ssm.hosts.limits import POWER_SECONDS, TAGS_MAX
from cumulet.services.ssm.hosts.look import Lookout, Seen
from cumulet.services.ssm.hosts.model import Host
from cumulet.services.ssm.hosts.shell import run

Request = Mapping[str, Any]

_ID = re.compile(r"i-[0-9a-f]{8,17}\Z")
_PAGE_MAX = 1_000


def instance_arns(ctx: Context, request: Request) -> list[str]:
    """The instances that a request names, as IAM's resources."""
    named = request.get("InstanceIds") or request.get("Resources") or ["*"]
    return [ctx.scope.arn("ec2", f"instance/{one}") for one in named]


async def chosen_hosts(ctx: Context, ids: Sequence[str]) -> list[Host]:
    """The hosts with these ids, all of them for none. Raises InvalidInstanceID.…"""
    for one in ids:
        if not _ID.match(one):
            raise ec2("InvalidInstanceID.Malformed", f'Invalid id: "{one}"')
    every = await ctx.transact(store.hosts)
    known = {host.id: host for host in every}
    missing = [one for one in ids if one not in known]
    if missing:
        plural = len(missing) > 1
        raise ec2(
            "InvalidInstanceID.NotFound",
            f"The instance ID{'s' if plural else ''} '{', '.join(missing)}' "
            f"do{'' if plural else 'es'} not exist",
        )
    return [known[one] for one in ids] if ids else every


@operation("DescribeInstances")
async def describe_instances(ctx: Context, request: Request) -> dict[str, Any]:
    """The hosts with their tags, their address of the moment, and whether they answer."""
    _refuse_dry_run(request)
    _check_filters(request)
    hosts = await chosen_hosts(ctx, request.get("InstanceIds") or ())
    seen = await ctx.need(Lookout).all(hosts)
    found = [one for one in hosts if _passes(one, seen[one.id], request.get("Filters") or ())]
    part, token = _page(request, found)
    reservations = [
        {
            "ReservationId": f"r-{host.id[2:]}",
            "OwnerId": ctx.scope.account,
            "Groups": [],
            "Instances": [_shown(ctx.scope, host, seen[host.id])],
        }
        for host in part
    ]
    return {"Reservations": reservations, **token}


def _page(request: Request, found: list[Host]) -> tuple[list[Host], dict[str, str]]:
    most = min(request.get("MaxResults") or _PAGE_MAX, _PAGE_MAX)
    token = request.get("NextToken")
    try:
        after = str(read_token(token)) if token else ""
    except ValueError:
        raise ec2("InvalidNextToken", "The provided next token is not valid.") from None
    rest = [host for host in found if host.id > after]
    if len(rest) <= most:
        return rest, {}
    return rest[:most], {"NextToken": make_token(rest[most - 1].id)}


def _refuse_dry_run(request: Request) -> None:
    if request.get("DryRun"):
        raise AwsError(
            "Request would have succeeded, but DryRun flag is set.",
            code="DryRunOperation",
            http_status=412,
        )


def _shown(scope: Scope, host: Host, seen: Seen) -> dict[str, Any]:
    code, word = seen.state
    tags = {"Name": host.name, **host.tags}
    shown: dict[str, Any] = {
        "InstanceId": host.id,
        "State": {"Code": code, "Name": word},
        "LaunchTime": host.added_at,
        "Placement": {"AvailabilityZone": f"{scope.region}a", "Tenancy": "host"},
        "Monitoring": {"State": "disabled"},
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())],
        "PublicDnsName": host.address if seen.address and not _is_ip(host.address) else "",
    }
    if ":" in seen.address:
        shown["Ipv6Address"] = seen.address
    elif seen.address:
        shown["PublicIpAddress"] = seen.address
        shown["PrivateIpAddress"] = seen.address
    return shown


def _is_ip(text: str) -> bool:
    return ":" in text or text.replace(".", "").isdigit()


_FILTERS = frozenset(
    ("instance-id", "instance-state-name", "instance-state-code", "ip-address",
     "private-ip-address", "dns-name", "tag-key", "tag-value")
)  # fmt: skip


def _check_filters(request: Request) -> None:
    for one in request.get("Filters") or ():
        if one["Name"] not in _FILTERS and not one["Name"].startswith("tag:"):
            raise ec2("InvalidParameterValue", f"The filter '{one['Name']}' is invalid")


def _passes(host: Host, seen: Seen, filters: Sequence[Request]) -> bool:
    """Whether a host passes every filter; each passes with one of its values."""
    return all(_fits(host, seen, one["Name"], one.get("Values") or ()) for one in filters)


def _fits(host: Host, seen: Seen, name: str, values: Sequence[str]) -> bool:
    tags = {"Name": host.name, **host.tags}
    facts: dict[str, list[str]] = {
        "instance-id": [host.id],
        "instance-state-name": [seen.state[1]],
        "instance-state-code": [str(seen.state[0])],
        "ip-address": [seen.address],
        "private-ip-address": [seen.address],
        "dns-name": [host.address],
        "tag-key": list(tags),
        "tag-value": list(tags.values()),
    }
    facts.update({f"tag:{key}": [value] for key, value in tags.items()})
    has = facts.get(name, [])
    # `[` has no meaning to EC2, and would have one to the matcher.
    patterns = [value.replace("[", "[[]") for value in values]
    return any(fnmatch.fnmatchcase(one, pattern) for one in has for pattern in patterns)


@operation("DescribeInstanceStatus")
async def describe_instance_status(ctx: Context, request: Request) -> dict[str, Any]:
    """Whether hosts answer; those that do not are left out unless they are asked for."""
    _refuse_dry_run(request)
    _check_filters(request)
    hosts = await chosen_hosts(ctx, request.get("InstanceIds") or ())
    seen = await ctx.need(Lookout).all(hosts)
    every = request.get("IncludeAllInstances")
    fitting = [
        one
        for one in hosts
        if (every or seen[one.id].is_up)
        and _passes(one, seen[one.id], request.get("Filters") or ())
    ]
    part, token = _page(request, fitting)
    return {
        "InstanceStatuses": [_status(ctx.scope, one, seen[one.id]) for one in part],
        **token,
    }


def _status(scope: Scope, host: Host, seen: Seen) -> dict[str, Any]:
    code, word = seen.state
    told = "ok" if seen.is_up else "not-applicable"
    details = [{"Name": "reachability", "Status": "passed" if seen.is_up else "failed"}]
    return {
        "InstanceId": host.id,
        "AvailabilityZone": f"{scope.region}a",
        "InstanceState": {"Code": code, "Name": word},
        "InstanceStatus": {"Status": told, "Details": details},
        "SystemStatus": {"Status": told, "Details": details},
    }


@operation("StartInstances", resource=instance_arns)
async def start_instances(ctx: Context, request: Request) -> dict[str, Any]:
    """Run the owner's command that starts each host."""
    _refuse_dry_run(request)
    return {"StartingInstances": await _power(ctx, request, start=True)}


@operation("StopInstances", resource=instance_arns)
async def stop_instances(ctx: Context, request: Request) -> dict[str, Any]:
    """Run the owner's command that stops each host."""
    _refuse_dry_run(request)
    if request.get("Hibernate"):
        raise ec2("UnsupportedOperation", "Hosts cannot hibernate.")
    return {"StoppingInstances": await _power(ctx, request, start=False)}


async def _power(ctx: Context, request: Request, *, start: bool) -> list[dict[str, Any]]:
    hosts = await chosen_hosts(ctx, request["InstanceIds"])
    verb = "start" if start else "stop"
    for host in hosts:
        if not (host.start_command if start else host.stop_command):
            raise ec2(
                "UnsupportedOperation",
                f"The host {host.name} was registered without a command to {verb} it: add one "
                f"with `cumulet hosts add {host.name} --{verb} COMMAND`.",
            )
    lookout = ctx.need(Lookout)
    before = await lookout.all(hosts)
    changes = []
    for host in hosts:
        was = before[host.id].state
        if before[host.id].is_up != start:
            command = host.start_command if start else host.stop_command
            ended = await run(["/bin/sh", "-c", command], POWER_SECONDS)
            lookout.forget(host)
            if ended.code != 0:
                said = ended.errors.decode(errors="replace").strip()[-500:] or "nothing"
                raise AwsError(
                    f"The command to {verb} {host.name} failed (exit code {ended.code}); it said: "
                    f"{said}",
                    code="InternalError",
                    http_status=500,
                )
            now = (0, "pending") if start else (64, "stopping")
        else:
            now = was
        changes.append(
            {
                "InstanceId": host.id,
                "PreviousState": {"Code": was[0], "Name": was[1]},
                "CurrentState": {"Code": now[0], "Name": now[1]},
            }
        )
    return changes


@operation("RunInstances", resource="*")
async def run_instances(ctx: Context, request: Request) -> None:
    """Refused: hosts are registered by their owner, and never made here."""
    raise ec2(
        "UnsupportedOperation",
        "Cumulet makes no machines. Register one that you run with `cumulet hosts add`.",
    )


@operation("TerminateInstances", resource=instance_arns)
async def terminate_instances(ctx: Context, request: Request) -> None:
    """Refused, for the same reason."""
    raise ec2(
        "UnsupportedOperation",
        "Cumulet ends no machines. Forget one with `cumulet hosts remove`.",
    )


@operation("CreateTags", resource=instance_arns)
async def create_tags(ctx: Context, request: Request) -> None:
    """Add tags to hosts, or change those that are there."""
    given = {one["Key"]: one.get("Value") or "" for one in request.get("Tags") or ()}
    for key in given:
        if not key or key.startswith("aws:"):
            raise ec2("InvalidParameterValue", f"Tag key '{key}' is reserved or empty.")
    await _change_tags(ctx, request, lambda tags: {**tags, **given})


@operation("DeleteTags", resource=instance_arns)
async def delete_tags(ctx: Context, request: Request) -> None:
    """Remove tags from hosts; with a value, only where it is that one."""
    gone = {one["Key"]: one.get("Value") for one in request.get("Tags") or ()}

    def without(tags: dict[str, str]) -> dict[str, str]:
        return {
            key: value
            for key, value in tags.items()
            if not (key in gone and gone[key] in (None, value)) and gone
        }

    await _change_tags(ctx, request, without)


async def _change_tags(ctx: Context, request: Request, change: Any) -> None:
    hosts = await chosen_hosts(ctx, request["Resources"])

    async def write(tx: Transaction, scope: Scope) -> None:
        for host in hosts:
            now = await store.HOSTS.load(tx, scope, host.id)
            if now is None:
                continue
            tags = change({"Name": now.name, **now.tags})
            tags.pop("Name", None)
            if len(tags) > TAGS_MAX:
                raise ec2("TagLimitExceeded", "The maximum number of Tags for a resource is 50.")
            await store.HOSTS.save(tx, scope, msgspec.structs.replace(now, tags=tags))

    await ctx.transact(write)


@operation("DescribeTags")
async def describe_tags(ctx: Context, request: Request) -> dict[str, Any]:
    """The tags of all hosts."""
    hosts = await ctx.transact(store.hosts)
    rows = [
        {"Key": key, "Value": value, "ResourceId": host.id, "ResourceType": "instance"}
        for host in hosts
        for key, value in sorted({"Name": host.name, **host.tags}.items())
    ]
    names = {"key": "Key", "value": "Value", "resource-id": "ResourceId",
             "resource-type": "ResourceType"}  # fmt: skip
    for one in request.get("Filters") or ():
        if one["Name"] not in names:
            raise ec2("InvalidParameterValue", f"The filter '{one['Name']}' is invalid")
        member = names[one["Name"]]
        wanted = one.get("Values") or ()
        rows = [row for row in rows if any(fnmatch.fnmatchcase(row[member], w) for w in wanted)]
    return {"Tags": rows}
