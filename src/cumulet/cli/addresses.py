"""AWS's addresses of deployed things, as this cloud answers them. Pure."""

from __future__ import annotations

import re

_EXECUTE_API = re.compile(
    r"(?P<scheme>https|wss)://(?P<api>[a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com/"
    r"(?P<stage>[A-Za-z0-9_-]+)(?P<path>/.*)?\Z"
)
_FUNCTION_URL = re.compile(
    r"https?://(?P<id>[a-z0-9]+)\.lambda-url\.[a-z0-9-]+\.(?:on\.aws|localhost(?::\d+)?)"
    r"(?P<path>/.*)?\Z"
)
_OBJECT = re.compile(
    r"https://(?P<bucket>[a-z0-9.-]+)\.s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?P<path>/.*)?\Z"
)


def local_url(text: str, endpoint: str) -> str | None:
    """Where this cloud answers an address of AWS's, or None when it is no such address.

    Names below `localhost` become paths too: not every client resolves them.
    """
    if found := _EXECUTE_API.match(text):
        path = found["path"] or "/"
        if found["scheme"] == "wss":
            socket = endpoint.replace("http", "ws", 1)
            return f"{socket}/_aws/execute-api/{found['api']}/{found['stage']}"
        return f"{endpoint}/restapis/{found['api']}/{found['stage']}/_user_request_{path}"
    if found := _FUNCTION_URL.match(text):
        return f"{endpoint}/_lambda-url/{found['id']}{found['path'] or '/'}"
    if found := _OBJECT.match(text):
        return f"{endpoint}/{found['bucket']}{found['path'] or '/'}"
    return None
