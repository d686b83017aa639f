"""Requests that the cloud makes in somebody's name: addressed by action, and answered in JSON.

API Gateway's integrations with AWS services are such. The query protocol answers them in JSON,
as AWS's services do for `Accept: application/json`.
"""

from __future__ import annotations

import base64
import re
from typing import Any

import orjson

from cumulet.core.errors import AwsError
from cumulet.core.http import BytesBody, Headers, Request, Response
from cumulet.edge.limits import body_limit
from cumulet.wire.model import ServiceModel
from cumulet.wire.protocols.aws_query import FORM_TYPE

_JSON = "application/json"
_CODE = re.compile(rb"<Code>([^<]+)</Code>")
_REPLACED = frozenset({"content-type", "content-length", "x-amz-target"})


async def addressed(request: Request, model: ServiceModel, action: str) -> Request:
    """The request with its action where the service's protocol has it. Raises AwsError."""
    content = await request.body.read(body_limit(model.name, model.protocols[0]))
    is_form = request.headers.get("content-type").lower().startswith(FORM_TYPE)
    # Services of both protocols take parameters of the query one from gateways, as in AWS.
    has_form = bool({"query", "ec2"} & set(model.protocols)) and (bool(request.query) or is_form)
    if model.target_prefix and not has_form:
        kind = request.headers.get("content-type") or f"application/x-amz-json-{model.json_version}"
        added = [("X-Amz-Target", f"{model.target_prefix}.{action}"), ("Content-Type", kind)]
        return _remade(request, added, "", content)
    pieces = [f"Action={action}"]
    if "Version=" not in request.query:
        pieces.append(f"Version={model.api_version}")
    pieces.append(request.query)
    if is_form:
        pieces.append(content.decode("utf-8", "replace"))
    form = "&".join(piece for piece in pieces if piece)
    return _remade(request, [("Content-Type", FORM_TYPE)], "", form.encode())


def _remade(request: Request, added: list[tuple[str, str]], query: str, content: bytes) -> Request:
    kept = [pair for pair in request.headers if pair[0] not in _REPLACED]
    return Request(
        "POST",
        request.path,
        query,
        Headers([*kept, *added]),
        BytesBody(content),
        scheme=request.scheme,
        peer=request.peer,
    )


def wants_json(request: Request) -> bool:
    """Whether the client takes JSON first."""
    return request.headers.get("accept").lower().startswith(_JSON)


def answer_in_json(operation: str, output: dict[str, Any] | None, request_id: str) -> Response:
    """An operation's output in the JSON of the query protocol."""
    members = {name: one for name, one in (output or {}).items() if name != "ResponseMetadata"}
    document: dict[str, Any] = {"ResponseMetadata": {"RequestId": request_id}}
    if members:
        document[f"{operation}Result"] = members
    return _json(200, {f"{operation}Response": document}, request_id)


def refuse_in_json(error: AwsError, rendered: Response, request_id: str) -> Response:
    """An error in the JSON of the query protocol; `rendered` is the same in XML."""
    body = rendered.body if isinstance(rendered.body, bytes) else b""
    found = _CODE.search(body)
    kind = "Receiver" if rendered.status >= 500 else "Sender"
    code = found[1].decode() if found else error.code
    about = {"Type": kind, "Code": code, "Message": error.message}
    return _json(rendered.status, {"Error": about, "RequestId": request_id}, request_id)


def _json(status: int, document: dict[str, Any], request_id: str) -> Response:
    headers = [("x-amzn-RequestId", request_id), ("Content-Type", _JSON)]
    return Response(status, headers, orjson.dumps(document, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} has no JSON")
