"""The mailbox: messages that pools sent, shown to the root of the account that the pools are in."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson

from cumulet.core.context import Platform
from cumulet.core.errors import AwsError
from cumulet.core.http import Request, Response
from cumulet.core.identity import Scope
from cumulet.kit.ports import Authenticator
from cumulet.kv.contract import Store, Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.limits import MAIL_SHOWN_MAX
from cumulet.services.cognito.model import Mail

PATH = "/_cumulet/mail"
_BODY_BYTES_MAX = 4_096


class Mailbox:
    """Answers `POST /_cumulet/mail` signed as service `cumulet`: `{"to": …, "count": …}`."""

    name = "mailbox"

    def match(self, request: Request) -> bool:
        """By path."""
        return request.path == PATH

    async def serve(self, platform: Platform, request: Request) -> Response:
        """The newest messages first, as JSON."""
        if request.method != "POST":
            return _json(405, {"message": "use POST"})
        try:
            body = await request.body.read(_BODY_BYTES_MAX)
            authenticator = platform.need(Authenticator)
            caller = await authenticator.authenticate(request, "cumulet", body)
        except AwsError as error:
            return _json(error.http_status or 403, {"message": error.message})
        if not caller.is_root:
            return _json(403, {"message": "only the root key of an account may read its mail"})
        try:
            asked = orjson.loads(body or b"{}")
            to, count = str(asked.get("to", "")), int(asked.get("count", MAIL_SHOWN_MAX))
        except (ValueError, AttributeError, TypeError):
            return _json(400, {"message": 'send {"to": "…", "count": 10}'})
        found = await _newest(platform, caller.account, to, max(1, min(count, MAIL_SHOWN_MAX)))
        return _json(200, {"messages": [msgspec.to_builtins(mail) for mail in found]})


async def _newest(platform: Platform, account: str, to: str, count: int) -> list[Mail]:
    kv = platform.need(Store)
    found: list[Mail] = []
    for scope in await kv.transact(store.MAILS.scopes):
        if scope.account == account:
            found += await platform.transact(_page, scope, to, count)
    return sorted(found, key=lambda mail: mail.sent_at, reverse=True)[:count]


async def _page(tx: Transaction, scope: Scope, to: str, count: int) -> list[Mail]:
    if to:
        return await store.MAILS.lookup(tx, scope, "to", to, limit=count, reverse=True)
    return await store.MAILS.scan(tx, scope, limit=count, reverse=True)


def _json(status: int, value: Any) -> Response:
    return Response(status, [("content-type", "application/json")], orjson.dumps(value))
