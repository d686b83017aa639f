"""The address at which custom resources and wait handles are answered.

The secret in the path is all the proof that is asked for, as with AWS's pre-signed URLs.
"""

from __future__ import annotations

import json

from cumulet.core.context import Platform
from cumulet.core.errors import RequestTooLarge
from cumulet.core.http import Request, Response
from cumulet.services.cloudformation.limits import CUSTOM_RESPONSE_BYTES_MAX
from cumulet.services.cloudformation.resources.tickets import PATH, answer_ticket

_KINDS = ("response", "signal")


class Answers:
    """Takes `PUT /_cumulet/cloudformation/response/<secret>` and `…/signal/<secret>`."""

    name = "cloudformation-answers"

    def match(self, request: Request) -> bool:
        """By path alone."""
        return request.path.startswith(PATH)

    async def serve(self, platform: Platform, request: Request) -> Response:
        """Keep the answer: 200, or why not."""
        kind, _, secret = request.path[len(PATH) :].partition("/")
        if request.method != "PUT":
            return Response(405, [("allow", "PUT")])
        if kind not in _KINDS or not secret:
            return Response(404)
        try:
            body = await request.body.read(CUSTOM_RESPONSE_BYTES_MAX)
        except RequestTooLarge:
            return Response(413)
        try:
            is_answer = isinstance(json.loads(body), dict)
        except (ValueError, RecursionError):
            is_answer = False
        if not is_answer:
            return Response(400)
        return Response(200 if await answer_ticket(platform, kind, secret, body) else 403)
