"""Pagination tokens: opaque, self-contained, and refused when they are not ours."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any


def make_token(position: Any) -> str:
    """An opaque token for a JSON-able position (a list of strings and numbers)."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def read_token(token: str) -> Any:
    """The position in a token. Raises ValueError when it is not one of ours."""
    try:
        return json.loads(base64.b64decode(token.encode(), altchars=b"-_", validate=True))
    except (binascii.Error, UnicodeError, json.JSONDecodeError) as cause:
        raise ValueError("not a pagination token") from cause
