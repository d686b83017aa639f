import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.kv.embedded.tail import BLOCK_BYTES, is_torn_tail

FIRST, LAST, FULL = 2, 4, 1
"""https://github.com/facebook/rocksdb/wiki/Write-Ahead-Log-File-Format"""


def crc32c(data):
    """Bit by bit, as the polynomial says."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def record(payload, kind=FULL):
    crc = crc32c(bytes([kind]) + payload)
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    return (
        masked.to_bytes(4, "little") + len(payload).to_bytes(2, "little") + bytes([kind]) + payload
    )


RECORDS = [record(b"payload %d" % number) for number in range(5)]


def log(tmp_path, content, name="000004.log"):
    (tmp_path / name).write_bytes(content)
    return tmp_path


def test_the_checksum_has_its_catalogue_value():
    assert crc32c(b"123456789") == 0xE3069283


@pytest.mark.parametrize(
    "tail",
    [b"\1", record(b"cut")[:-1], bytes(9), b"\xff" * 500, record(b"x" * 60)[:30] + bytes(37)],
)
def test_bytes_that_do_not_check_at_the_end_are_a_torn_tail(tmp_path, tail):
    assert is_torn_tail(log(tmp_path, b"".join(RECORDS) + tail))


@pytest.mark.parametrize("number", range(4))
def test_a_record_behind_the_damage_means_more_than_a_torn_tail(tmp_path, number):
    content = bytearray(b"".join(RECORDS))
    content[number * len(RECORDS[0]) + 9] ^= 1
    assert not is_torn_tail(log(tmp_path, bytes(content)))


def test_damage_in_an_older_log_is_no_torn_tail(tmp_path):
    log(tmp_path, b"".join(RECORDS)[:-1], "000004.log")
    assert not is_torn_tail(log(tmp_path, b"".join(RECORDS)[:-1], "000007.log"))
    log(tmp_path, b"".join(RECORDS) + bytes(50), "000004.log")
    assert is_torn_tail(tmp_path)


def test_a_good_log_or_none_is_no_torn_tail(tmp_path):
    assert not is_torn_tail(tmp_path)
    assert not is_torn_tail(log(tmp_path, b""))
    assert not is_torn_tail(log(tmp_path, b"".join(RECORDS)))


def test_records_lie_in_blocks(tmp_path):
    first = record(b"a" * (BLOCK_BYTES - 7 - 7 - 3), FIRST)
    padding = bytes(BLOCK_BYTES - len(first) - len(record(b"")) + 0)
    assert len(padding) == 3
    content = first + record(b"") + padding + record(b"b" * 40, LAST)
    assert not is_torn_tail(log(tmp_path, content))
    assert is_torn_tail(log(tmp_path, content[:-1]))
    damaged = b"\0" + content[1:]
    assert not is_torn_tail(log(tmp_path, damaged))


@given(st.binary(max_size=300))
def test_any_bytes_are_judged(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("logs")
    assert is_torn_tail(log(folder, data)) == bool(data)
