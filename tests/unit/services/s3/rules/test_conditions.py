"""Ranges and conditional headers, as HTTP and S3 define them."""

import pytest

from cumulet.services.s3.errors import InvalidRange, NotModified, PreconditionFailed
from cumulet.services.s3.model import Stored, is_bucket_name
from cumulet.services.s3.rules.conditions import check_read, check_write, evaluate_range

STORED = Stored("b", "k", "null", 1, 1_700_000_000_500, size=10, etag="abc")
AT = 1_700_000_000


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None),
        ("bytes=0-4", (0, 5)),
        ("bytes=4-", (4, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-30", (0, 10)),
        ("bytes=0-99", (0, 10)),
        ("bytes=5-4", None),
        ("bytes=0-1,4-5", None),
        ("items=0-1", None),
        ("bytes=-", None),
    ],
)
def test_ranges(header: str | None, span: tuple[int, int] | None) -> None:
    assert evaluate_range(header, 10) == span


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=11-12", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(header: str) -> None:
    with pytest.raises(InvalidRange):
        evaluate_range(header, 10)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"IfMatch": '"abc"'}, None),
        ({"IfMatch": "*"}, None),
        ({"IfMatch": '"x", "abc"'}, None),
        ({"IfMatch": '"x"'}, PreconditionFailed),
        ({"IfNoneMatch": '"abc"'}, NotModified),
        ({"IfNoneMatch": '"x"'}, None),
        ({"IfModifiedSince": AT}, NotModified),
        ({"IfModifiedSince": AT - 1}, None),
        ({"IfUnmodifiedSince": AT}, None),
        ({"IfUnmodifiedSince": AT - 1}, PreconditionFailed),
        # RFC 9110, 13.2.2: entity tags go before dates.
        ({"IfMatch": '"abc"', "IfUnmodifiedSince": AT - 1}, None),
        ({"IfNoneMatch": '"x"', "IfModifiedSince": AT}, None),
    ],
)
def test_conditions_of_reads(request_: dict[str, object], error: type[Exception] | None) -> None:
    if error is None:
        check_read(request_, STORED)
    else:
        with pytest.raises(error):
            check_read(request_, STORED)


def test_the_source_of_a_copy_is_never_not_modified() -> None:
    with pytest.raises(PreconditionFailed):
        check_read({"CopySourceIfNoneMatch": '"abc"'}, STORED, "CopySource")


def test_conditions_of_writes() -> None:
    assert check_write({"IfNoneMatch": "*"}, None) is None
    assert check_write({"IfNoneMatch": "*"}, STORED) == "If-None-Match"
    assert check_write({"IfMatch": '"abc"'}, STORED) is None
    assert check_write({"IfMatch": '"x"'}, STORED) == "If-Match"
    assert check_write({"IfMatch": '"abc"'}, None) == "missing"


@pytest.mark.parametrize("name", ["abc", "a.b-c", "1bucket", "x" * 63])
def test_bucket_names_that_s3_takes(name: str) -> None:
    assert is_bucket_name(name)


@pytest.mark.parametrize(
    "name", ["ab", "x" * 64, "Abc", "a_b", "a..b", "-ab", "ab-", "10.0.0.1", "xn--ab", "ab-s3alias"]
)
def test_bucket_names_that_s3_refuses(name: str) -> None:
    assert not is_bucket_name(name)
