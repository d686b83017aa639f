"""Telling a torn end of RocksDB's log, which a power failure may leave, from damage within it.

Read only when the log does not check. Follows the log's format:
https://github.com/facebook/rocksdb/wiki/Write-Ahead-Log-File-Format
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

BLOCK_BYTES = 32_768
HEADER_BYTES = 7

_TYPES = re.compile(rb"[\x01-\x04\x09-\x0b\x81-\x83]")
_POLYNOMIAL = 0x82F63B78
_MASK = 0xA282EAD8


def is_torn_tail(folder: Path) -> bool:
    """Whether the newest log in `folder` ends in bytes that do not check, and all else does.

    A record that checks behind one that does not means that written data was damaged afterwards.
    """
    logs = sorted(path for path in folder.glob("*.log") if path.stat().st_size)
    if not logs:
        return False
    for log in logs[:-1]:
        data = log.read_bytes()
        if _end_of_good(data) < len(data.rstrip(b"\0")):
            return False
    data = logs[-1].read_bytes()
    end = _end_of_good(data)
    return end < len(data) and not _has_record_after(data, end)


def _end_of_good(data: bytes) -> int:
    """Where the first record begins that is incomplete or does not check."""
    at = 0
    while at < len(data):
        if BLOCK_BYTES - at % BLOCK_BYTES < HEADER_BYTES:
            at += BLOCK_BYTES - at % BLOCK_BYTES
            continue
        size = _record_size(data, at)
        if size == 0:
            return at
        at += size
    return min(at, len(data))


def _has_record_after(data: bytes, start: int) -> bool:
    """Whether a whole record lies anywhere behind `start`."""
    candidates = _TYPES.finditer(data, start + HEADER_BYTES)
    return any(_record_size(data, found.start() - HEADER_BYTES + 1) for found in candidates)


def _record_size(data: bytes, at: int) -> int:
    """The bytes of the record at `at`, with its header; 0 when there is none that checks."""
    end = at + HEADER_BYTES + int.from_bytes(data[at + 4 : at + 6], "little")
    block_end = at - at % BLOCK_BYTES + BLOCK_BYTES
    if end > min(block_end, len(data)) or _TYPES.match(data, at + 6) is None:
        return 0
    crc = _crc32c(data[at + 6 : end])
    masked = ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF
    return end - at if masked == int.from_bytes(data[at : at + 4], "little") else 0


def _crc32c(data: bytes) -> int:
    table = _crc_table()
    value = 0xFFFFFFFF
    for byte in data:
        value = table[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF


@functools.cache
def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ _POLYNOMIAL if value & 1 else value >> 1
        table.append(value)
    return tuple(table)
