"""The front by which rows are loaded: `POST /_dynamodb/load/{region}/{table}?load=…&batch=…`.

Signed as service `dynamodb`, and permitted as BatchWriteItem. The body is lines of DynamoDB JSON.
Without `batch` it tells which batches of the load are in the table.
"""

from __future__ import annotations

from urllib.parse import parse_qs, unquote

import orjson

from cumulet.core.context import Platform
from cumulet.core.errors import AwsError
from cumulet.core.http import Request, Response
from cumulet.core.identity import Scope
from cumulet.core.trace import current
from cumulet.kit.ports import Authenticator
from cumulet.services.dynamodb.copies.limits import LOAD_BODY_BYTES_MAX

PATH = "/_dynamodb/load/"


class LoadSurface:
    """Takes batches of rows."""

    name = "dynamodb-load"

    def match(self, request: Request) -> bool:
        """By path."""
        return request.path.startswith(PATH)

    async def serve(self, platform: Platform, request: Request) -> Response:
        """Write a batch, or tell how far a load came."""
        if request.method != "POST":
            return _answer(405, {"message": "use POST"})
        try:
            return _answer(200, await self._load(platform, request))
        except AwsError as error:
            return _answer(
                error.http_status or (500 if error.fault == "server" else 400),
                {"code": error.code, "message": error.message},
            )

    async def _load(self, platform: Platform, request: Request) -> object:
        body = await request.body.read(LOAD_BODY_BYTES_MAX)
        authenticator = platform.need(Authenticator)
        caller = await authenticator.authenticate(request, "dynamodb", body)
        region, _, table = request.path.removeprefix(PATH).partition("/")
        ctx = platform.context(
            Scope(caller.account, region), caller, request=request, trace=current.get()
        )
        query = {name: values[0] for name, values in parse_qs(request.query).items()}
        batch = query.get("batch", "")
        return await ctx.call(
            "dynamodb",
            "LoadItems",
            TableName=unquote(table),
            Load=query.get("load", ""),
            Batch=int(batch) if batch.isdecimal() else None,
            Lines=body,
        )


def _answer(status: int, content: object) -> Response:
    return Response(status, [("content-type", "application/json")], orjson.dumps(content))
