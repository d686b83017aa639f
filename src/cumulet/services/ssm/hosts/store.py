"""Hosts' records in the store: the only file of hosts that knows their keys."""

from __future__ import annotations

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.kv.table import Table
from cumulet.services.ssm.hosts.limits import EXPIRE_AT_ONCE, HOSTS_MAX
from cumulet.services.ssm.hosts.model import Command, Host, Run

_SERVICE = "hosts"

HOSTS: Table[Host] = Table(
    _SERVICE, "host", Host, lambda host: (host.id,), indexes={"name": lambda one: [(one.name,)]}
)
COMMANDS: Table[Command] = Table(
    _SERVICE,
    "command",
    Command,
    lambda command: (command.id,),
    indexes={"time": lambda one: [(one.requested_at,)]},
)
RUNS: Table[Run] = Table(
    _SERVICE,
    "run",
    Run,
    lambda run: (run.command, run.instance),
    indexes={"open": lambda run: [] if run.has_ended else [(run.command,)]},
)
TABLES = (HOSTS, COMMANDS, RUNS)


async def hosts(tx: Transaction, scope: Scope) -> list[Host]:
    """Every host of the account and region, by id."""
    return await HOSTS.scan(tx, scope, limit=HOSTS_MAX)


async def add_host(tx: Transaction, scope: Scope, host: Host) -> bool:
    """Register a host; tells whether its name was free and there was room."""
    if await HOSTS.lookup(tx, scope, "name", host.name, limit=1):
        return False
    if len(await hosts(tx, scope)) >= HOSTS_MAX:
        return False
    await HOSTS.save(tx, scope, host)
    return True


async def drop_host(tx: Transaction, scope: Scope, name: str) -> Host | None:
    """Forget a host by its name or id."""
    found = await HOSTS.lookup(tx, scope, "name", name, limit=1)
    known = found[0] if found else await HOSTS.load(tx, scope, name)
    return None if known is None else await HOSTS.drop(tx, scope, known.id)


async def add_command(tx: Transaction, scope: Scope, command: Command) -> None:
    """Write a command with a run for each of its hosts."""
    await COMMANDS.save(tx, scope, command)
    for instance in command.instances:
        await RUNS.save(tx, scope, Run(command.id, instance))


async def save_run(tx: Transaction, scope: Scope, run: Run) -> None:
    """Write what has become of a run, unless it has ended in another way meanwhile."""
    known = await RUNS.load(tx, scope, run.command, run.instance)
    if known is not None and not known.has_ended:
        await RUNS.save(tx, scope, run)


async def expire(tx: Transaction, scope: Scope, before: float) -> bool:
    """Remove commands older than that with their runs; tells whether there may be more."""
    old = await COMMANDS.lookup_between(tx, scope, "time", (), (before,), limit=EXPIRE_AT_ONCE)
    for command in old:
        for instance in command.instances:
            await RUNS.drop(tx, scope, command.id, instance)
        await COMMANDS.drop(tx, scope, command.id)
    return len(old) == EXPIRE_AT_ONCE
