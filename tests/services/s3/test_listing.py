"""Listings: pages, prefixes, delimiters, versions.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.services.s3.raw import ask


def listed(s3, **request):
    keys, prefixes = [], []
    for page in s3.get_paginator("list_objects_v2").paginate(**request):
        keys += [entry["Key"] for entry in page.get("Contents", [])]
        prefixes += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
    return keys, prefixes


def expected(keys, prefix, delimiter):
    found, prefixes = [], []
    for key in sorted(keys, key=lambda one: one.encode()):
        if not key.startswith(prefix):
            continue
        head, separator, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        if separator:
            common = prefix + head + separator
            if common not in prefixes:
                prefixes.append(common)
        else:
            found.append(key)
    return found, prefixes


names = st.text(alphabet="ab/é", min_size=1, max_size=5)


@given(keys=st.sets(names, max_size=8), prefix=st.text("ab/", max_size=2), page=st.integers(1, 4))
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_pages_give_each_key_and_prefix_once(s3, bucket, keys, prefix, page):
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    try:
        for delimiter in ("", "/"):
            request = {"Bucket": bucket, "Prefix": prefix, "Delimiter": delimiter}
            got = listed(s3, **request, PaginationConfig={"PageSize": page})
            assert got == expected(keys, prefix, delimiter)
    finally:
        for key in keys:
            s3.delete_object(Bucket=bucket, Key=key)


def test_start_after_and_the_older_operations_marker(s3, bucket):
    for key in ("a", "b", "c/1", "c/2", "d"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    assert listed(s3, Bucket=bucket, StartAfter="b")[0] == ["c/1", "c/2", "d"]
    first = s3.list_objects(Bucket=bucket, Delimiter="/", MaxKeys=3)
    assert [e["Key"] for e in first["Contents"]] == ["a", "b"]
    assert first["CommonPrefixes"] == [{"Prefix": "c/"}]
    assert (first["IsTruncated"], first["NextMarker"]) == (True, "c/")
    rest = s3.list_objects(Bucket=bucket, Delimiter="/", Marker=first["NextMarker"])
    assert [e["Key"] for e in rest["Contents"]] == ["d"]
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"] == 0


def test_versions_newest_first_and_markers(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    one = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    two = s3.put_object(Bucket=bucket, Key="k", Body=b"2")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    answer = s3.list_object_versions(Bucket=bucket)
    assert [v["VersionId"] for v in answer["Versions"]] == [two, one, "null"]
    assert [m["VersionId"] for m in answer["DeleteMarkers"]] == [marker]
    assert answer["DeleteMarkers"][0]["IsLatest"] is True
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    for version, content in ((one, b"1"), (two, b"2"), ("null", b"before")):
        got = s3.get_object(Bucket=bucket, Key="k", VersionId=version)
        assert got["Body"].read() == content
    s3.delete_object(Bucket=bucket, Key="k", VersionId=marker)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"2"
    s3.delete_object(Bucket=bucket, Key="k", VersionId=two)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"1"


def test_suspended_versioning_replaces_only_the_null_version(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    kept = s3.put_object(Bucket=bucket, Key="k", Body=b"kept")["VersionId"]
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    s3.put_object(Bucket=bucket, Key="k", Body=b"null 1")
    s3.put_object(Bucket=bucket, Key="k", Body=b"null 2")
    found = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert [v["VersionId"] for v in found] == ["null", kept]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"null 2"


NO_INTEGER = "Provided {} not an integer or within integer range"
"""AWS's sentence for a number that cannot be read; one below zero has another."""


@pytest.mark.parametrize("value", ["abc", "1.5", "9" * 30, "2147483648", "%2B"])
@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("max-keys", "max-keys"),
        ("list-type=2&max-keys", "max-keys"),
        ("versions&max-keys", "max-keys"),
        ("uploads&max-uploads", "max-uploads"),
    ],
)
def test_a_number_that_is_none_is_an_invalid_argument(cloud, bucket, query, name, value):
    """https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""
    answer = ask(cloud, "GET", f"/{bucket}?{query}={value}")
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert answer.field("Message") == NO_INTEGER.format(name)
    assert answer.field("ArgumentName") == name
    assert answer.field("ArgumentValue") == value.replace("%2B", "+")


@pytest.mark.parametrize("name", ["part-number-marker", "max-parts"])
@pytest.mark.parametrize("value", ["abc", "2147483648"])
def test_a_number_of_parts_that_is_none_is_an_invalid_argument(cloud, s3, bucket, name, value):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    answer = ask(cloud, "GET", f"/{bucket}/k?uploadId={upload}&{name}={value}")
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert answer.field("Message") == NO_INTEGER.format(name)
    assert (answer.field("ArgumentName"), answer.field("ArgumentValue")) == (name, value)


@pytest.mark.parametrize("name", ["x-amz-part-number-marker", "x-amz-max-parts"])
@pytest.mark.parametrize("value", ["abc", "-1"])
def test_attributes_with_a_number_that_is_none_are_refused(cloud, s3, bucket, name, value):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"x")
    s3.complete_multipart_upload(
        Bucket=bucket,
        Key="k",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    headers = {"x_amz_object_attributes": "ObjectParts", name.replace("-", "_"): value}
    answer = ask(cloud, "GET", f"/{bucket}/k?attributes", **headers)
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert answer.field("ArgumentName") == name


def test_a_number_that_is_empty_is_as_if_it_was_not_there(cloud, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    answer = ask(cloud, "GET", f"/{bucket}?max-keys=")
    assert (answer.status, answer.field("MaxKeys")) == (200, "1000")
