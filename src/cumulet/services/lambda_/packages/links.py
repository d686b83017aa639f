"""Links to packages, as GetFunction and GetLayerVersion give them: sealed, and short-lived."""

from __future__ import annotations

import base64
import binascii

import msgspec

from cumulet.core.context import Context
from cumulet.kit.ports import Sealer
from cumulet.services.lambda_.limits import CODE_URL_SECONDS

CODE_PATH = "/_lambda-code/"
_PURPOSE = "lambda code link"


class _Link(msgspec.Struct, frozen=True):
    blob_id: str
    until: float


def code_link(ctx: Context, blob_id: str) -> str:
    """A URL from which the package can be fetched, without a signature, for ten minutes."""
    link = msgspec.json.encode(_Link(blob_id, ctx.clock.now() + CODE_URL_SECONDS))
    sealed = ctx.need(Sealer).seal(link, _PURPOSE)
    return f"{ctx.endpoint}{CODE_PATH}{base64.urlsafe_b64encode(sealed).decode()}"


def read_link(sealer: Sealer, path: str, now: float) -> str | None:
    """The blob that a link's path names; None when it is not ours, or its time is over."""
    try:
        sealed = base64.b64decode(path.removeprefix(CODE_PATH), altchars=b"-_", validate=True)
        link = msgspec.json.decode(sealer.unseal(sealed, _PURPOSE), type=_Link)
    except (ValueError, binascii.Error, msgspec.DecodeError):
        return None
    return link.blob_id if now < link.until else None
