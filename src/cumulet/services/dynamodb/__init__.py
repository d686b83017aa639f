"""DynamoDB and its streams: tables of items with indexes, expressions, transactions, expiry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Platform
from cumulet.kit.service import Service, operations_of
from cumulet.services.dynamodb.copies.records import COPY_RECORDS
from cumulet.services.dynamodb.copies.surface import LoadSurface
from cumulet.services.dynamodb.copies.workers import COPY_WORKERS
from cumulet.services.dynamodb.operations import (
    absent,
    backup,
    batch,
    insights,
    item,
    load,
    search,
    settings,
    stream,
    table,
    transact,
    transfer,
)
from cumulet.services.dynamodb.operations.partiql import statement, statements
from cumulet.services.dynamodb.resources import RESOURCES
from cumulet.services.dynamodb.store.records import RECORDS
from cumulet.services.dynamodb.tables.holding import holdings
from cumulet.services.dynamodb.tables.metering import Measures
from cumulet.services.dynamodb.tables.throttling import Buckets
from cumulet.services.dynamodb.tables.views import TableViews
from cumulet.services.dynamodb.workers import WORKERS


def _provides(platform: Platform) -> Mapping[type, Any]:
    return {
        TableViews: TableViews(platform),
        Buckets: Buckets(),
        Measures: Measures(platform),
    }


DYNAMODB = Service(
    name="dynamodb",
    prefix="dynamodb",
    operations=operations_of(
        table,
        item,
        search,
        batch,
        transact,
        settings,
        statement,
        statements,
        load,
        backup,
        transfer,
        insights,
        absent,
    ),
    workers=(*WORKERS, *COPY_WORKERS),
    resources=RESOURCES,
    provides=_provides,
    tables=(*RECORDS, *COPY_RECORDS),
    surfaces=(LoadSurface(),),
    holds=holdings,
)

STREAMS = Service(
    name="dynamodbstreams",
    prefix="dynamodb",
    operations=operations_of(stream),
)

SERVICES = (DYNAMODB, STREAMS)
