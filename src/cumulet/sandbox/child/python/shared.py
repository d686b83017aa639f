"""Keeping what the zygote has prepared in pages that all its environments share.

A forked process shares memory until it writes. Python writes where it only reads: it counts
references within each object, and it puts new objects into whatever gaps old ones have left. So
what is there before the fork is made immortal, which is to say no longer counted, and the gaps are
closed. Both are CPython's own affair: where it is not as known here, nothing is done.
https://peps.python.org/pep-0683/
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import platform
import re
import struct
import sys
import types
from typing import Any

_COUNTED_NO_MORE = 0xFFFF_FFFF
_VERSIONS = ((3, 12), (3, 13))
"""Versions whose immortal objects have all bits of the low half of their count set."""
_ALIGNMENT = 16
_OF_BYTES = sys.getsizeof(b"")
_SMALLEST_OF_BYTES = 48
_CLASS = re.compile(rb"^ *\d+ +(\d+) +\d+ +\d+ +(\d+)$", re.MULTILINE)
"""A line of the allocator's report: class, block size, pools, blocks in use, blocks free."""

_plugs: list[Any] = []
"""What closes the gaps; kept for ever."""


def share() -> None:
    """Do all that is possible; called before forking, when everything is loaded."""
    gc.unfreeze()
    gc.collect()
    close_gaps()
    immortalise()
    gc.freeze()


def may_immortalise() -> bool:
    """Whether this interpreter has immortal objects in the form that is known here."""
    return (
        platform.python_implementation() == "CPython"
        and sys.version_info[:2] in _VERSIONS
        and struct.calcsize("P") == 8
        and sys.byteorder == "little"
        and sys.getrefcount(None) == _COUNTED_NO_MORE
        and ctypes.c_uint64.from_address(id(None)).value == _COUNTED_NO_MORE
    )


def immortalise() -> None:
    """Stop counting references to every object that is alive."""
    if not may_immortalise():
        return
    count, referents, write = sys.getrefcount, gc.get_referents, ctypes.memset
    left = gc.get_objects()
    while left:
        one = left.pop()
        if count(one) == _COUNTED_NO_MORE:
            continue
        write(id(one), 0xFF, 4)
        left += [each for each in referents(one) if count(each) != _COUNTED_NO_MORE]
        if isinstance(one, types.CodeType):
            left += _parts_of(one)


def _parts_of(code: types.CodeType) -> list[Any]:
    """What a code object refers to, which the garbage collector does not know."""
    parts = [code.co_consts, code.co_names, code.co_name, code.co_qualname, code.co_filename]
    return [*parts, *code.co_consts, *code.co_names, *code.co_varnames, *code.co_freevars]


def close_gaps() -> None:
    """Fill every free block among the small objects, so that new ones come to new pages."""
    for size, free in sorted(_gaps().items()):
        if size >= _SMALLEST_OF_BYTES:
            _plugs.append([bytes(size - _OF_BYTES) for _ in range(free)])
        elif size == 2 * _ALIGNMENT:
            _plugs.append([(1 << 40) + number for number in range(free)])
        else:
            _plugs.append([object() for _ in range(free)])


def _gaps() -> dict[int, int]:
    """Block size → free blocks of that size in pages that are in use."""
    report = getattr(sys, "_debugmallocstats", None)
    if report is None:
        return {}
    told = os.memfd_create("report", os.MFD_CLOEXEC)
    kept = os.dup(2)
    try:
        os.dup2(told, 2)
        report()
        os.dup2(kept, 2)
        size = os.lseek(told, 0, os.SEEK_CUR)
        text = os.pread(told, size, 0)
    finally:
        with contextlib.suppress(OSError):
            os.dup2(kept, 2)
        os.close(kept)
        os.close(told)
    return {int(size): int(free) for size, free in _CLASS.findall(text)}
