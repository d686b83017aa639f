"""MOCK integrations: the request template says which status code the backend would have given."""

from __future__ import annotations

import json
import re
from typing import Any

from cumulet.core.context import Context
from cumulet.services.apigateway.pipeline.exchange import Exchange
from cumulet.services.apigateway.pipeline.faults import configuration_error
from cumulet.services.apigateway.pipeline.integrations.mapped import (
    Incoming,
    answered,
    facts_of,
    outgoing,
    template_variables,
)
from cumulet.services.apigateway.pipeline.validate import Admitted

_LOOSE_STATUS = re.compile(r"""[{,\s]["']?statusCode["']?\s*:\s*["']?(\d{3})["']?\s*[,}]""")


async def answer_mock(ctx: Context, admitted: Admitted) -> Exchange:
    """Answer without a backend. Raises GatewayFault.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html
    """
    facts = facts_of(admitted)
    variables = template_variables(facts)
    sent = outgoing(admitted, facts, variables)
    status = parse_status(sent.body.decode("utf-8", "replace"))
    if status is None:
        raise configuration_error("the request template of a MOCK integration gives no statusCode")
    incoming = Incoming(str(status), [], b"")
    return answered(admitted, facts, variables, incoming, shows_trace=False)


def parse_status(text: str) -> int | None:
    """The `statusCode` of a rendered request template; AWS takes JSON with bare names as well."""
    try:
        document: Any = json.loads(text)
    except ValueError:
        found = _LOOSE_STATUS.search(text)
        return int(found[1]) if found else None
    status = document.get("statusCode") if isinstance(document, dict) else None
    if isinstance(status, str) and status.isdigit():
        return int(status)
    return status if isinstance(status, int) and not isinstance(status, bool) else None
