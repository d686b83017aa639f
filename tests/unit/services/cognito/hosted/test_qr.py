"""QR codes are read back by a reader of the test's own: format, mask, blocks, correction, bytes."""

from __future__ import annotations

import pytest

from cumulet.services.cognito.hosted.qr import Matrix, code_of, drawn

# By version, at level L: bytes of correction in a block, and how many blocks (ISO/IEC 18004).
BLOCKS = {1: (7, 1), 2: (10, 1), 5: (26, 1), 6: (18, 2), 7: (20, 2), 10: (18, 4), 15: (22, 6)}
# Centres of the patterns for alignment (annex E).
CENTRES = {
    1: [],
    2: [6, 18],
    5: [6, 30],
    6: [6, 34],
    7: [6, 22, 38],
    10: [6, 28, 50],
    15: [6, 26, 48, 70],
}
# Format words of level L by mask, as the standard's annex C lists them.
FORMATS = [0x77C4, 0x72F3, 0x7DAA, 0x789D, 0x662F, 0x6318, 0x6C41, 0x6976]
EXPONENTS = [1]
while len(EXPONENTS) < 255:
    double = EXPONENTS[-1] << 1
    EXPONENTS.append(double ^ 0x11D if double > 255 else double)


def is_taken(version: int, row: int, column: int) -> bool:
    """Whether a module belongs to a pattern, and not to the data."""
    size = version * 4 + 17
    if 6 in (row, column):
        return True
    if (row < 9 and (column < 9 or column >= size - 8)) or (row >= size - 8 and column < 9):
        return True
    if version >= 7 and ((row < 6 and column >= size - 11) or (column < 6 and row >= size - 11)):
        return True
    centres = CENTRES[version]
    corners = {(6, 6), (6, size - 7), (size - 7, 6)}
    return any(
        abs(row - y) <= 2 and abs(column - x) <= 2
        for y in centres
        for x in centres
        if (y, x) not in corners
    )


def is_dark_by_mask(mask: int, i: int, j: int) -> bool:
    return [
        (i + j) % 2,
        i % 2,
        j % 3,
        (i + j) % 3,
        (i // 2 + j // 3) % 2,
        (i * j) % 2 + (i * j) % 3,
        ((i * j) % 2 + (i * j) % 3) % 2,
        ((i + j) % 2 + (i * j) % 3) % 2,
    ][mask] == 0


def value_at(block: list[int], power: int) -> int:
    """The block as a polynomial, at a power of two."""
    found = 0
    for byte in block:
        if found:
            found = EXPONENTS[(EXPONENTS.index(found) + power) % 255]
        found ^= byte
    return found


def read(matrix: Matrix) -> bytes:
    size = len(matrix)
    version = (size - 17) // 4
    cells = [(8, n) for n in (0, 1, 2, 3, 4, 5, 7, 8)] + [(n, 8) for n in (7, 5, 4, 3, 2, 1, 0)]
    word = int("".join("1" if matrix[y][x] else "0" for y, x in cells), 2)
    mask = FORMATS.index(word)
    bits, column, up = "", size - 1, True
    while column > 0:
        column -= column == 6
        for n in range(size):
            row = size - 1 - n if up else n
            for x in (column, column - 1):
                if not is_taken(version, row, x):
                    bits += "1" if matrix[row][x] ^ is_dark_by_mask(mask, row, x) else "0"
        column, up = column - 2, not up
    words = [int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8)]
    checks, count = BLOCKS[version]
    lengths = [
        len(words) // count - checks + (n >= count - len(words) % count) for n in range(count)
    ]
    blocks: list[list[int]] = [[] for _ in range(count)]
    rest = iter(words)
    for place in range(max(lengths)):
        for block, length in zip(blocks, lengths, strict=True):
            if place < length:
                block.append(next(rest))
    data = [byte for block in blocks for byte in block]
    for _ in range(checks):
        for block in blocks:
            block.append(next(rest))
    for block in blocks:
        assert [value_at(block, power) for power in range(checks)] == [0] * checks
    text = "".join(f"{byte:08b}" for byte in data)
    assert text[:4] == "0100"
    head = 12 if version < 10 else 20
    length = int(text[4:head], 2)
    body = text[head : head + length * 8]
    return int(body, 2).to_bytes(length)


@pytest.mark.parametrize(
    ("length", "version"), [(17, 1), (18, 2), (100, 5), (120, 6), (150, 7), (250, 10), (520, 15)]
)
def test_a_reader_finds_what_was_written(length: int, version: int) -> None:
    data = bytes((n * 7 + length) % 251 + 1 for n in range(length))
    matrix = code_of(data)
    assert len(matrix) == version * 4 + 17
    assert read(matrix) == data


def test_too_much_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        code_of(b"x" * 521)


def test_the_picture_has_a_margin_and_a_name() -> None:
    picture = drawn("otpauth://totp/x")
    assert 'viewBox="0 0 29 29"' in picture
    assert 'role="img"' in picture
    assert "M4 4h1v1h-1z" in picture
