"""JSON values at rest: sealed, since properties and parameters may hold secrets."""

from __future__ import annotations

import json
import zlib
from typing import Any

from cumulet.kit.ports import Sealer

_PURPOSE = "cloudformation"
_COMPRESS_FROM_BYTES = 2_000


class Safe:
    """Puts JSON values into bytes for the store, and takes them out again."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def put(self, value: Any) -> bytes:
        """Sealed bytes."""
        plain = json.dumps(value, separators=(",", ":")).encode()
        if len(plain) >= _COMPRESS_FROM_BYTES:
            plain = b"z" + zlib.compress(plain, 3)
        else:
            plain = b"j" + plain
        return self._sealer.seal(plain, _PURPOSE)

    def take(self, sealed: bytes) -> Any:
        """The value; an empty map for empty bytes."""
        if not sealed:
            return {}
        plain = self._sealer.unseal(sealed, _PURPOSE)
        return json.loads(zlib.decompress(plain[1:]) if plain[:1] == b"z" else plain[1:])
