"""The records of open connections: the only file that knows their keys."""

from __future__ import annotations

from typing import Any

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.kv.table import Table
from cumulet.services.apigateway.v2.sockets.connections.model import Connection

NOWHERE = Scope("", "")

CONNECTIONS: Table[Connection] = Table(
    "apigateway-sockets", "connection", Connection, lambda one: (one.id,), extent="global"
)
TABLES: tuple[Table[Any], ...] = (CONNECTIONS,)


async def save_connection(tx: Transaction, scope: Scope, connection: Connection) -> None:
    """Write a connection whose id is new."""
    CONNECTIONS.add(tx, NOWHERE, connection)


async def drop_connection(tx: Transaction, scope: Scope, connection_id: str) -> None:
    """Forget a connection that has ended."""
    await CONNECTIONS.drop(tx, NOWHERE, connection_id)


async def scan_connections(
    tx: Transaction, scope: Scope, after: str | None, limit: int
) -> list[Connection]:
    """A page of all connections of all processes, by id."""
    return await CONNECTIONS.scan(tx, NOWHERE, limit=limit, after=(after,) if after else None)
