"""Numbers of 38 digits: checked, in one spelling, and as bytes that sort as the numbers do.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

from __future__ import annotations

import decimal
import re
from decimal import Decimal
from functools import lru_cache

from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.limits import (
    NUMBER_CHARACTERS_MAX,
    NUMBER_DIGITS_MAX,
    NUMBER_EXPONENT_MAX,
    NUMBER_EXPONENT_MIN,
)

_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,9}))?\Z", re.ASCII)
_CANONICAL = re.compile(r"(?:0|-?[1-9][0-9]*|-?(?:0|[1-9][0-9]*)\.[0-9]*[1-9])\Z", re.ASCII)
_CONTEXT = decimal.Context(prec=600, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)

_OVERFLOW = (
    "Number overflow. Attempting to store a number with magnitude larger than supported range"
)

_KEPT_MAX = 8_192
"""Numbers whose bytes are kept: the same keys come again and again."""

_NEGATIVE = b"\x40"
_ZERO = b"\x80"
_POSITIVE = b"\xc0"
_FLIP = bytes(255 - byte for byte in range(256))


def canonical_number(text: str) -> str:
    """The one spelling of a number, without exponent and needless zeros.

    Raises ValidationException for what is no number, too long, too large or too small.
    """
    if len(text) < NUMBER_DIGITS_MAX and _CANONICAL.match(text):
        return text
    sign, digits, exponent = _parts(text)
    if not digits:
        return "0"
    if len(digits) + exponent - 1 > NUMBER_EXPONENT_MAX:
        raise ValidationException(_OVERFLOW)
    if len(digits) + exponent - 1 < NUMBER_EXPONENT_MIN:
        raise ValidationException(
            "Number underflow. Attempting to store a number with magnitude smaller than "
            "supported range"
        )
    if len(digits) > NUMBER_DIGITS_MAX:
        raise ValidationException("Attempting to store more than 38 significant digits in a Number")
    return sign + _plain(digits, exponent)


def _parts(text: str) -> tuple[str, str, int]:
    """Sign, significant digits (none for zero) and the exponent of the last of them."""
    found = _NUMBER.match(text) if 0 < len(text) <= NUMBER_CHARACTERS_MAX else None
    if found is None or not (found[2] or found[3]):
        said = f": {text}" if text else ""
        raise ValidationException(f"The parameter cannot be converted to a numeric value{said}")
    fraction = found[3] or ""
    digits = (found[2] + fraction).lstrip("0")
    exponent = int(found[4] or "0") - len(fraction)
    stripped = digits.rstrip("0")
    exponent += len(digits) - len(stripped)
    return ("-" if found[1] == "-" else ""), stripped, exponent


def _plain(digits: str, exponent: int) -> str:
    if exponent >= 0:
        return digits + "0" * exponent
    point = len(digits) + exponent
    if point > 0:
        return f"{digits[:point]}.{digits[point:]}"
    return f"0.{'0' * -point}{digits}"


@lru_cache(_KEPT_MAX)
def measured_number(text: str) -> tuple[str, int]:
    """A number's one spelling, and the bytes it counts for. Raises ValidationException."""
    canonical = canonical_number(text)
    return canonical, number_size(canonical)


def number_size(canonical: str) -> int:
    """Bytes that a number counts for: one for two digits, one more, and one for the minus sign."""
    if canonical == "0":
        return 1
    negative = canonical[0] == "-"
    digits = canonical.replace(".", "").lstrip("-0").rstrip("0")
    return (len(digits) + 1) // 2 + 1 + negative


@lru_cache(_KEPT_MAX)
def number_bytes(canonical: str) -> bytes:
    """Bytes that sort as the numbers do, and of which none begins another."""
    sign, digits, exponent = _parts(canonical)
    if not digits:
        return _ZERO
    if len(digits) % 2:
        digits += "0"
    pairs = bytes(int(digits[at : at + 2]) + 1 for at in range(0, len(digits), 2))
    adjusted = len(digits.rstrip("0")) + exponent - 1 - NUMBER_EXPONENT_MIN
    encoded = bytes((adjusted,)) + pairs + b"\0"
    return _NEGATIVE + encoded.translate(_FLIP) if sign else _POSITIVE + encoded


def add_numbers(first: str, second: str, *, subtract: bool = False) -> str:
    """Sum or difference, exact. Raises ValidationException when 38 digits cannot hold it."""
    one, other = Decimal(first), Decimal(second)
    total = _CONTEXT.subtract(one, other) if subtract else _CONTEXT.add(one, other)
    text = format(total, "f")
    digits = text.replace(".", "").lstrip("-0").rstrip("0")
    if len(digits) > NUMBER_DIGITS_MAX:
        # Told by AWS in these words, though the magnitude is not what is wrong.
        raise ValidationException(_OVERFLOW)
    return canonical_number(text)
