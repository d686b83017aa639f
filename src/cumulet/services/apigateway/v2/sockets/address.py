"""Which API and stage a request is for, by host, by path, or by a custom domain."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from cumulet.core.http import Request
from cumulet.services.apigateway.admission.domains.lookup import Domains

_HOST = re.compile(r"(?P<api>[A-Za-z0-9]+)\.execute-api\.", re.IGNORECASE)
_PATH = re.compile(
    r"/_aws/execute-api/(?P<api>[A-Za-z0-9]+)/(?P<stage>[^/]+)(?P<rest>/.*|)\Z", re.DOTALL
)


class Address(NamedTuple):
    """An API and a stage as named, which need not exist; `rest` is the path behind the stage.

    `by_domain` says that a custom domain led here; the API's own addresses can be switched off.
    """

    api_id: str
    stage: str
    rest: str
    by_domain: bool


async def find_address(domains: Domains, request: Request) -> Address | None:
    """The address of a request; None when neither its host nor its path names an API."""
    found = _HOST.match(request.host)
    if found is not None:
        stage, slash, rest = request.path.lstrip("/").partition("/")
        return Address(found["api"].lower(), unquote(stage), slash + rest, False)
    matched = _PATH.match(request.path)
    if matched is not None:
        return Address(matched["api"].lower(), unquote(matched["stage"]), matched["rest"], False)
    domain = await domains.find(request.host)
    target = domain.target(request.path) if domain is not None else None
    if domain is None or target is None or not domain.admits(request):
        return None
    return Address(target.api_id, target.stage, target.path, True)
