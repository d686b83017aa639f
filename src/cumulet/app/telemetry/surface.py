"""`GET /_cumulet/metrics`: the page that Prometheus scrapes, for who has the token."""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator, Callable, Iterable

from cumulet.app.telemetry.process import Figure
from cumulet.app.telemetry.prometheus import OPEN_METRICS, TEXT, exposed, wants_open_metrics
from cumulet.app.telemetry.registry import Series
from cumulet.core.context import Platform
from cumulet.core.http import Request, Response

PATH = "/_cumulet/metrics"


class MetricsSurface:
    """Without a token there is no such page; with one, nobody else reads it."""

    name = "metrics"

    def __init__(
        self,
        token: str,
        series: Callable[[], list[Series]],
        figures: Callable[[], Iterable[Figure]],
    ) -> None:
        self._token = token.encode()
        self._series = series
        self._figures = figures

    def match(self, request: Request) -> bool:
        """Whether it is this page."""
        return request.path == PATH

    async def serve(self, platform: Platform, request: Request) -> Response:
        """The page, in the format that the scraper takes."""
        if not self._token:
            return _refused(404, "Not Found")
        if not self._is_let_in(request):
            refused = _refused(401, "the token of --metrics-token-file is needed")
            refused.headers.append(("www-authenticate", 'Bearer realm="cumulet"'))
            return refused
        if request.method not in ("GET", "HEAD"):
            refused = _refused(405, "use GET")
            refused.headers.append(("allow", "GET, HEAD"))
            return refused
        is_open = wants_open_metrics(request.headers.get("accept"))
        kind = OPEN_METRICS if is_open else TEXT
        headers = [("content-type", kind), ("cache-control", "no-store"), ("vary", "accept")]
        if request.method == "HEAD":
            return Response(200, headers)
        return Response(200, headers, self._page(platform, is_open))

    def _is_let_in(self, request: Request) -> bool:
        given = request.headers.all("authorization")
        if len(given) != 1:
            return False
        scheme, _, token = given[0].partition(" ")
        told = token.strip().encode("utf-8", "surrogateescape")
        return scheme.lower() == "bearer" and hmac.compare_digest(told, self._token)

    async def _page(self, platform: Platform, is_open: bool) -> AsyncIterator[bytes]:
        """In pieces, so that a long page keeps nobody waiting."""
        for piece in exposed(self._series(), self._figures(), is_open=is_open):
            yield piece.encode("utf-8", "replace")
            await platform.clock.sleep(0)


def _refused(status: int, message: str) -> Response:
    content = json.dumps({"message": message}).encode()
    return Response(status, [("content-type", "application/json")], content)
