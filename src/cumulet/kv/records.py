"""Records as bytes: one byte for the version of the form, then MessagePack by field names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import msgspec

R = TypeVar("R", bound=msgspec.Struct)

VERSION_MAX = 255


class UnknownVersion(Exception):
    """A record was written by a later release of this program; it must not be guessed at."""


class RecordCodec(Generic[R]):
    """Writes one type of record in its current version and reads every version it knows.

    `upgrades[n]` turns the fields of version n into those of version n + 1; they are applied one
    after the other up to `version`. A field with a default may be added without a new version.
    """

    __slots__ = ("_decode", "_encode", "_mark", "_type", "_upgrades", "_version")

    def __init__(
        self,
        type_: type[R],
        version: int,
        upgrades: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]],
    ) -> None:
        if not 1 <= version <= VERSION_MAX:
            raise ValueError(f"a record's version is between 1 and {VERSION_MAX}")
        if getattr(type_, "__struct_config__").array_like:  # noqa: B009  mypy does not know it.
            raise ValueError(f"{type_.__name__} must be stored by field names, not as an array")
        self._type = type_
        self._version = version
        self._upgrades = dict(upgrades)
        self._mark = bytes((version,))
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(type_).decode

    def write(self, record: R) -> bytes:
        """The bytes of `record`."""
        return self._mark + self._encode(record)

    def read(self, value: bytes) -> R:
        """The record; an old one is upgraded first. Raises UnknownVersion."""
        if value[0] == self._version:
            return self._decode(value[1:])
        return self._read_old(value)

    def _read_old(self, value: bytes) -> R:
        version = value[0]
        fields = msgspec.msgpack.decode(value[1:])
        while version != self._version:
            upgrade = self._upgrades.get(version)
            if upgrade is None:
                raise UnknownVersion(
                    f"{self._type.__name__} is stored in version {value[0]}, "
                    f"and this release reads up to {self._version}"
                )
            fields = upgrade(fields)
            version += 1
        # Encoded again so that the decoder checks and fills the upgraded fields like any others.
        return self._decode(self._encode(fields))
