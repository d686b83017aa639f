"""Base paths of domains made and changed: the part that v1 and v2 have in common."""

from __future__ import annotations

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway import store as rest
from cumulet.services.apigateway.admission.domains import store
from cumulet.services.apigateway.admission.domains.limits import MAPPINGS_MAX
from cumulet.services.apigateway.admission.domains.lookup import REST, WEBSOCKET
from cumulet.services.apigateway.admission.domains.model import ApiMapping, DomainName
from cumulet.services.apigateway.admission.domains.rules import check_protocols
from cumulet.services.apigateway.errors import (
    BadRequestException,
    ConflictException,
    LimitExceededException,
)
from cumulet.services.apigateway.v2 import store as second

NO_API = "Invalid API identifier specified"
NO_REST_API = "Invalid REST API identifier specified"
NO_STAGE = "Invalid stage identifier specified"


async def protocol_of(
    tx: Transaction, scope: Scope, api_id: str, stage: str | None, *, only_rest: bool
) -> str:
    """Which kind of API it is. Raises BadRequestException when it, or its stage, is not there."""
    if await rest.load_api(tx, scope, api_id) is not None:
        if stage is not None and await rest.STAGES.load(tx, scope, api_id, stage) is None:
            raise BadRequestException(NO_STAGE)
        return REST
    found = None if only_rest else await second.APIS.load(tx, scope, api_id)
    if found is None:
        raise BadRequestException(NO_REST_API if only_rest else NO_API)
    if stage is None or await second.STAGES.load(tx, scope, api_id, stage) is None:
        raise BadRequestException(NO_STAGE)
    return found.protocol_type


async def check_unmapped(
    tx: Transaction, scope: Scope, api_id: str, stage: str | None = None
) -> None:
    """Raise BadRequestException while a domain leads to the API, or to this stage of it."""
    if await store.is_mapped(tx, scope, api_id, stage):
        what = "API" if stage is None else "stage"
        raise BadRequestException(
            f"Deleting {what} failed. Please remove all base path mappings related to the {what} "
            "in your domains and then try again."
        )


async def put_mapping(
    tx: Transaction, scope: Scope, domain: DomainName, old: ApiMapping | None, new: ApiMapping
) -> None:
    """Write a mapping, in the place of `old` if there is one. Raises what the operations do."""
    others = [
        one
        for one in await store.scan_mappings(tx, scope, domain.name)
        if old is None or one.key != old.key
    ]
    if old is None and len(others) >= MAPPINGS_MAX:
        raise LimitExceededException(
            f"Maximum number of API mappings ({MAPPINGS_MAX}) for this domain has been reached."
        )
    if any((one.protocol == WEBSOCKET) != (new.protocol == WEBSOCKET) for one in others):
        raise BadRequestException(
            "Cannot map a WebSocket API and an API of another protocol to the same domain name."
        )
    check_protocols(domain, [new])
    if not await store.replace_mapping(tx, scope, domain, old, new):
        raise ConflictException("Base path already exists for this domain name")
