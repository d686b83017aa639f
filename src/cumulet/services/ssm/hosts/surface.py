"""`/_cumulet/hosts`: where the account's root registers and forgets hosts.

The commands that go with a host run on the cloud's own machine, so nobody else may give them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from cumulet.core.clock import new_hex
from cumulet.core.context import Platform
from cumulet.core.errors import AwsError
from cumulet.core.http import Request, Response
from cumulet.core.identity import Scope, is_account
from cumulet.kit.ports import Authenticator
from cumulet.services.ssm.hosts import store
from cumulet.services.ssm.hosts.limits import COMMAND_CHARACTERS_MAX, NAME_MAX, TAGS_MAX
from cumulet.services.ssm.hosts.look import Lookout
from cumulet.services.ssm.hosts.model import Host

_PATH = "/_cumulet/hosts"
_BODY_BYTES_MAX = 65_536
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}\Z")
_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,252}\Z")
_HOST_KEY = re.compile(r"[a-z0-9@.-]+ [A-Za-z0-9+/=]+\Z")
_COMMANDS = ("address_command", "start_command", "stop_command")


class HostSurface:
    """Registers hosts for the root of an account; POSTs signed as service `cumulet`."""

    name = "hosts"

    def match(self, request: Request) -> bool:
        """Whether the path is this one."""
        return request.path == _PATH

    async def serve(self, platform: Platform, request: Request) -> Response:
        """Answer with JSON."""
        if request.method != "POST":
            return _json(405, {"message": "use POST"})
        body = await request.body.read(_BODY_BYTES_MAX)
        try:
            authenticator = platform.need(Authenticator)
            caller = await authenticator.authenticate(request, "cumulet", body)
        except AwsError as error:
            return _json(error.http_status or 403, {"message": error.message})
        if not caller.is_root or not is_account(caller.account):
            return _json(403, {"message": "only an account's root key may register hosts"})
        try:
            asked = json.loads(body or b"{}")
            scope = Scope(caller.account, str(asked["region"]))
            return await _carry_out(platform, scope, asked)
        except (ValueError, KeyError, TypeError) as cause:
            return _json(400, {"message": str(cause)})


async def _carry_out(platform: Platform, scope: Scope, asked: Mapping[str, Any]) -> Response:
    if asked.get("do") == "remove":
        gone = await platform.transact(store.drop_host, scope, str(asked["name"]))
        if gone is None:
            return _json(404, {"message": f"there is no host {asked['name']}"})
        return _json(200, {"id": gone.id, "name": gone.name})
    if asked.get("do") != "add":
        raise ValueError("do must be add or remove")
    host = _read(asked["host"], f"i-{new_hex(platform.clock, 17)}", platform.clock.now())
    if not await platform.transact(store.add_host, scope, host):
        return _json(409, {"message": f"there is a host {host.name} already"})
    seen = await platform.need(Lookout).one(host)
    return _json(200, {"id": host.id, "address": seen.address, "state": seen.state[1]})


def _read(given: Mapping[str, Any], host_id: str, now: float) -> Host:
    """The host that was described. Raises ValueError with what is wrong."""
    name, user, address = str(given["name"]), str(given["user"]), str(given.get("address", ""))
    if not _NAME.match(name) or len(name) > NAME_MAX:
        raise ValueError(f"{name!r} is no name: letters, digits, dots, dashes and underscores")
    if not _USER.match(user):
        raise ValueError(f"{user!r} is no user's name")
    if bool(address) == bool(given.get("address_command")):
        raise ValueError("either an address or a command that finds it must be given")
    if address and not _ADDRESS.match(address):
        raise ValueError(f"{address!r} is no name or address of a machine")
    port = int(given.get("port", 22))
    if not 0 < port < 65_536:
        raise ValueError("the port must be between 1 and 65535")
    commands = {key: str(given.get(key) or "") for key in _COMMANDS}
    for key, text in commands.items():
        if len(text) > COMMAND_CHARACTERS_MAX or "\0" in text:
            raise ValueError(f"{key} is longer than {COMMAND_CHARACTERS_MAX} characters")
    host_key = str(given.get("host_key") or "").strip()
    if host_key and not _HOST_KEY.match(host_key):
        raise ValueError("the host key must be its type and its base64, as in known_hosts")
    tags = {str(key): str(value) for key, value in dict(given.get("tags") or {}).items()}
    if len(tags) > TAGS_MAX:
        raise ValueError(f"a host has at most {TAGS_MAX} tags")
    tags.pop("Name", None)
    key_file = str(given.get("key_file") or "")
    return Host(
        host_id, name, user, address, port, now, **commands, key_file=key_file,
        host_key=host_key, tags=tags,
    )  # fmt: skip


def _json(status: int, value: object) -> Response:
    return Response(status, [("content-type", "application/json")], json.dumps(value).encode())
