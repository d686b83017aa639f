"""QR codes for authenticators' secrets: bytes at the lowest level of correction, as SVG. Pure.

After ISO/IEC 18004, versions 1 to 15. Dark modules are True; a matrix is a list of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

Matrix = list[list[bool]]

_CHECKS = (7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22)
"""Bytes of correction in each block, by version, at level L (table 9 of the standard)."""

_BLOCKS = (1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6)
"""Into how many blocks the data is cut, by version, at level L."""

_FIELD = 0x11D
_LEVEL_L = 1
_QUIET = 4
_MASKS: tuple[Callable[[int, int], bool], ...] = (
    lambda row, column: (row + column) % 2 == 0,
    lambda row, column: row % 2 == 0,
    lambda row, column: column % 3 == 0,
    lambda row, column: (row + column) % 3 == 0,
    lambda row, column: (row // 2 + column // 3) % 2 == 0,
    lambda row, column: row * column % 2 + row * column % 3 == 0,
    lambda row, column: (row * column % 2 + row * column % 3) % 2 == 0,
    lambda row, column: ((row + column) % 2 + row * column % 3) % 2 == 0,
)


def drawn(text: str) -> str:
    """The code of a text as an SVG picture. Raises ValueError for one that is too long."""
    matrix = code_of(text.encode())
    size = len(matrix) + 2 * _QUIET
    dark = "".join(
        f"M{x + _QUIET} {y + _QUIET}h1v1h-1z"
        for y, row in enumerate(matrix)
        for x, is_dark in enumerate(row)
        if is_dark
    )
    return (
        f'<svg viewBox="0 0 {size} {size}" role="img" aria-label="QR code with the key" '
        f'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{size}v{size}H0z"/>'
        f'<path fill="#000" d="{dark}"/></svg>'
    )


def code_of(data: bytes) -> Matrix:
    """The matrix for these bytes, with the mask that scans best."""
    version = next((v for v in range(1, 16) if len(data) <= _room(v)), 0)
    if not version:
        raise ValueError("too long for a QR code")
    bits = list(_bits(_interleaved(_padded(data, version), version)))
    frame, free = _frame(version)
    found = [_masked(frame, free, bits, mask) for mask in range(8)]
    return min(found, key=_penalty)


def _modules(version: int) -> int:
    """How many modules are left for bits of data and correction."""
    found = (16 * version + 128) * version + 64
    if version >= 2:
        count = version // 7 + 2
        found -= (25 * count - 10) * count - 55
        found -= 36 if version >= 7 else 0
    return found


def _words(version: int) -> int:
    """How many bytes of data fit, with their head."""
    return _modules(version) // 8 - _CHECKS[version - 1] * _BLOCKS[version - 1]


def _room(version: int) -> int:
    return _words(version) - (2 if version < 10 else 3)


def _padded(data: bytes, version: int) -> bytes:
    """Mode, length, data and filling, as so many bytes as the version has."""
    width = 8 if version < 10 else 16
    bits = f"{4:04b}{len(data):0{width}b}" + "".join(f"{byte:08b}" for byte in data)
    room = _words(version) * 8
    bits += "0" * min(4, room - len(bits))
    bits += "0" * (-len(bits) % 8)
    filling = (f"{0xEC:08b}", f"{0x11:08b}")
    bits += "".join(filling[n % 2] for n in range((room - len(bits)) // 8))
    return int(bits, 2).to_bytes(room // 8)


def _times(a: int, b: int) -> int:
    """A product in the field of 256 elements."""
    found = 0
    for bit in range(7, -1, -1):
        found = (found << 1) ^ ((found >> 7) * _FIELD)
        found ^= (b >> bit & 1) * a
    return found


def _divisor(degree: int) -> list[int]:
    found = [0] * (degree - 1) + [1]
    root = 1
    for _ in range(degree):
        for at in range(degree):
            found[at] = _times(found[at], root)
            if at + 1 < degree:
                found[at] ^= found[at + 1]
        root = _times(root, 2)
    return found


def _check(data: bytes, divisor: Sequence[int]) -> bytes:
    """The Reed-Solomon remainder."""
    rest = [0] * len(divisor)
    for byte in data:
        factor = byte ^ rest.pop(0)
        rest.append(0)
        rest = [one ^ _times(part, factor) for one, part in zip(rest, divisor, strict=True)]
    return bytes(rest)


def _interleaved(data: bytes, version: int) -> bytes:
    """The blocks' bytes in turns, data before correction; later blocks may be one longer."""
    count, degree = _BLOCKS[version - 1], _CHECKS[version - 1]
    divisor = _divisor(degree)
    short, longer = divmod(len(data), count)
    blocks, at = [], 0
    for number in range(count):
        size = short + (number >= count - longer)
        blocks.append(data[at : at + size])
        at += size
    checks = [_check(block, divisor) for block in blocks]
    mixed = [block[n] for n in range(short + 1) for block in blocks if n < len(block)]
    return bytes(mixed + [check[n] for n in range(degree) for check in checks])


def _bits(data: bytes) -> Iterator[bool]:
    for byte in data:
        for bit in range(7, -1, -1):
            yield bool(byte >> bit & 1)


def _frame(version: int) -> tuple[Matrix, Matrix]:
    """What does not depend on data, and which modules are free for it."""
    size = version * 4 + 17
    dark = [[False] * size for _ in range(size)]
    free = [[True] * size for _ in range(size)]

    def put(row: int, column: int, is_dark: bool) -> None:
        if 0 <= row < size and 0 <= column < size:
            dark[row][column], free[row][column] = is_dark, False

    for n in range(size):
        put(6, n, n % 2 == 0)
        put(n, 6, n % 2 == 0)
    for row, column in ((3, 3), (3, size - 4), (size - 4, 3)):
        for y in range(-4, 5):
            for x in range(-4, 5):
                put(row + y, column + x, max(abs(x), abs(y)) not in (2, 4))
    centres = _centres(version)
    corners = {(6, 6), (6, size - 7), (size - 7, 6)}
    for row in centres:
        for column in centres:
            if (row, column) not in corners:
                for y in range(-2, 3):
                    for x in range(-2, 3):
                        put(row + y, column + x, max(abs(x), abs(y)) != 1)
    for n in range(9):
        put(8, n, n == 6)
        put(n, 8, n == 6)
        put(8, size - 1 - min(n, 7), False)
        put(size - 1 - min(n, 7), 8, n >= 7)
    if version >= 7:
        bits = version << 12 | _remainder(version, 0x1F25, 12)
        for n in range(18):
            put(size - 11 + n % 3, n // 3, bool(bits >> n & 1))
            put(n // 3, size - 11 + n % 3, bool(bits >> n & 1))
    return dark, free


def _centres(version: int) -> list[int]:
    """Rows and columns of the patterns for alignment."""
    if version == 1:
        return []
    count = version // 7 + 2
    step = (version * 8 + count * 3 + 5) // (count * 4 - 4) * 2
    last = version * 4 + 10
    return [6, *sorted(last - n * step for n in range(count - 1))]


def _remainder(value: int, divisor: int, bits: int) -> int:
    rest = value
    for _ in range(bits):
        rest = (rest << 1) ^ ((rest >> (bits - 1)) * divisor)
    return rest


def _masked(frame: Matrix, free: Matrix, bits: Sequence[bool], mask: int) -> Matrix:
    """The matrix with the bits laid out, masked, and the mask told."""
    size = len(frame)
    found = [list(row) for row in frame]
    rest = iter(bits)
    covers = _MASKS[mask]
    for right in range(size - 1, 0, -2):
        pair = right - 1 if right <= 6 else right
        goes_up = (pair + 1) & 2 == 0
        for n in range(size):
            row = size - 1 - n if goes_up else n
            for column in (pair, pair - 1):
                if free[row][column]:
                    found[row][column] = next(rest, False) ^ covers(row, column)
    told = _LEVEL_L << 3 | mask
    format = (told << 10 | _remainder(told, 0x537, 10)) ^ 0x5412
    for n, (row, column) in enumerate(_format_places(size)):
        found[row][column] = bool(format >> (n % 15) & 1)
    return found


def _format_places(size: int) -> list[tuple[int, int]]:
    """Where the fifteen bits of the format are, the lowest first, twice."""
    first = [*((n, 8) for n in range(6)), (7, 8), (8, 8), (8, 7)]
    first += [(8, 14 - n) for n in range(9, 15)]
    second = [(8, size - 1 - n) for n in range(8)]
    second += [(size - 15 + n, 8) for n in range(8, 15)]
    return first + second


def _penalty(matrix: Matrix) -> int:
    """How badly a matrix scans: long runs, blocks, look-alikes of the corners, imbalance."""
    found = 0
    for lines in (matrix, [list(column) for column in zip(*matrix, strict=True)]):
        for line in lines:
            text = "".join("1" if one else "0" for one in line)
            for run in text.replace("01", "0 1").replace("10", "1 0").split():
                found += len(run) - 2 if len(run) >= 5 else 0
            padded = f"0000{text}0000"
            for at in range(len(padded) - 10):
                found += 40 * (padded[at : at + 11] in ("10111010000", "00001011101"))
    for above, below in pairwise(matrix):
        for at in range(len(above) - 1):
            found += 3 * (above[at] == above[at + 1] == below[at] == below[at + 1])
    share = sum(map(sum, matrix)) * 20 - len(matrix) ** 2 * 10
    return found + max(0, -(-abs(share) // len(matrix) ** 2) - 1) * 10
