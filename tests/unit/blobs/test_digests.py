import hashlib
import zlib

import pytest

from cumulet.blobs.digests import DIGESTS, Checksum, table_checksum

DIGITS = b"123456789"
CHECKS = {"crc32": "cbf43926", "crc32c": "e3069283", "crc64nvme": "ae8b14860a799888"}
"""The catalogue's check values, of these nine digits:
https://reveng.sourceforge.io/crc-catalogue/all.htm"""


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_checksums_have_their_catalogue_values(name):
    digest = DIGESTS[name]()
    digest.update(DIGITS)
    assert digest.digest().hex() == CHECKS[name]


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_pieces_give_the_digest_of_the_whole(name):
    whole, pieces = DIGESTS[name](), DIGESTS[name]()
    whole.update(DIGITS * 100)
    for _ in range(100):
        pieces.update(DIGITS)
        pieces.update(b"")
    assert whole.digest() == pieces.digest()


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256"])
def test_hashes_are_pythons(name):
    digest = DIGESTS[name]()
    digest.update(DIGITS)
    assert digest.digest() == hashlib.new(name, DIGITS).digest()


def test_the_table_computes_what_zlib_does():
    ours = Checksum(table_checksum(0xEDB88320, 32), 4)
    ours.update(b"any bytes \x00\xff" * 50)
    assert ours.digest() == zlib.crc32(b"any bytes \x00\xff" * 50).to_bytes(4, "big")
