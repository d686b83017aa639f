"""The checksum of two byte runs in a row, from the checksums of each: CRC algebra. Pure."""

from __future__ import annotations

_POLYNOMIALS = {
    "CRC32": (0xEDB88320, 32),
    "CRC32C": (0x82F63B78, 32),
    "CRC64NVME": (0x9A6C9329AC4BC9B5, 64),
}


def combine(algorithm: str, first: int, second: int, second_size: int) -> int:
    """The CRC of a + b, given those of a and of b, and the length of b in bytes.

    Appending a zero bit is a linear map on the register: it is raised to the power of the length
    by squaring its matrix, and the second checksum is added.
    """
    polynomial, bits = _POLYNOMIALS[algorithm]
    # One zero bit: shift right, and add the polynomial when a one falls out.
    matrix = [polynomial, *(1 << bit for bit in range(bits - 1))]
    count = second_size * 8
    while count:
        if count & 1:
            first = _times(matrix, first)
        matrix = [_times(matrix, row) for row in matrix]
        count >>= 1
    return first ^ second


def _times(matrix: list[int], vector: int) -> int:
    total = 0
    index = 0
    while vector:
        if vector & 1:
            total ^= matrix[index]
        vector >>= 1
        index += 1
    return total
