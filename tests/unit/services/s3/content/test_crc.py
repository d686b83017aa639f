"""The CRC of a whole from those of its parts equals the CRC of the whole."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.blobs.digests import DIGESTS
from cumulet.services.s3.content.crc import combine


def crc(algorithm: str, data: bytes) -> int:
    digest = DIGESTS[algorithm.lower()]()
    digest.update(data)
    return int.from_bytes(digest.digest(), "big")


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
@given(st.binary(max_size=200), st.binary(max_size=200))
@settings(max_examples=40, deadline=None)
def test_two_runs_in_a_row(algorithm: str, first: bytes, second: bytes) -> None:
    joined = combine(algorithm, crc(algorithm, first), crc(algorithm, second), len(second))
    assert joined == crc(algorithm, first + second)


def test_a_known_value() -> None:
    # The check value of CRC-32 over the nine digits, as in every catalogue of CRCs.
    joined = combine("CRC32", crc("CRC32", b"1234"), crc("CRC32", b"56789"), 5)
    assert joined == 0xCBF43926
    assert base64.b64encode(joined.to_bytes(4, "big")) == b"y/Q5Jg=="
