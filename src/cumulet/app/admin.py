"""The cloud's own pages under `/_cumulet/`: health for all, the rest for the account's root."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from cumulet import __version__
from cumulet.app.config import DEFAULT_ACCOUNT
from cumulet.app.inspect import examine
from cumulet.app.platform import Platform
from cumulet.app.telemetry.recent import KEPT_MAX, RecentEvents
from cumulet.core.context import Platform as PlatformOfContexts
from cumulet.core.errors import AwsError
from cumulet.core.http import Request, Response
from cumulet.kit.ports import Authenticator

_BODY_BYTES_MAX = 65_536
_HEALTH = ("/_cumulet/health", "/_localstack/health")
_ROOT_ONLY = ("/_cumulet/check", "/_cumulet/backup", "/_cumulet/requests")


class AdminSurface:
    """Health for all; check, backup and recent requests for the first account's root.

    The latter are POSTs signed as service `cumulet`.
    """

    name = "admin"

    def __init__(
        self,
        platform: Platform,
        backup: Callable[[Path], Awaitable[None]],
        events: RecentEvents,
    ) -> None:
        self._platform = platform
        self._backup = backup
        self._events = events

    def match(self, request: Request) -> bool:
        """Whether the path is one of these pages."""
        return request.path in _HEALTH or request.path in _ROOT_ONLY

    async def serve(self, platform: PlatformOfContexts, request: Request) -> Response:
        """Answer with JSON."""
        if request.path in _HEALTH:
            return _json(200, self._health())
        if request.method != "POST":
            return _json(405, {"message": "use POST"})
        body = await request.body.read(_BODY_BYTES_MAX)
        try:
            authenticator = platform.need(Authenticator)
            caller = await authenticator.authenticate(request, "cumulet", body)
        except AwsError as error:
            return _json(error.http_status or 403, {"message": error.message})
        if not caller.is_root or caller.account != DEFAULT_ACCOUNT:
            return _json(403, {"message": "only the first account's root key may do this"})
        try:
            asked = json.loads(body or b"{}")
            return _json(200, await self._carry_out(request.path, asked))
        except (ValueError, KeyError, TypeError, OSError) as cause:
            return _json(400, {"message": str(cause)})

    async def _carry_out(self, path: str, asked: dict[str, Any]) -> dict[str, object]:
        if path == "/_cumulet/check":
            return {"findings": await self._check()}
        if path == "/_cumulet/requests":
            count = min(int(asked.get("count", KEPT_MAX)), KEPT_MAX)
            ids = str(asked.get("requestId", "")), str(asked.get("traceId", ""))
            return {"requests": self._events.newest(count, *ids)}
        target = Path(asked["folder"])
        await self._backup(target)
        return {"folder": str(target)}

    def _health(self) -> dict[str, object]:
        failure = self._platform.owned["store"].failure
        services = {
            service.name: "running" for service in self._platform.services if service.prefix
        }
        return {
            "status": "failed" if failure else "running",
            "version": __version__,
            "services": services,
            **({"failure": failure} if failure else {}),
        }

    async def _check(self) -> list[str]:
        owned = self._platform.owned
        return await examine(owned["store"], owned["blobs"], self._platform.services)


def _json(status: int, value: object) -> Response:
    return Response(
        status, [("content-type", "application/json")], json.dumps(value, default=str).encode()
    )
