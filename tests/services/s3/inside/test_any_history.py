"""Listings after any history of puts and deletes, against a plain model of what they must show.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
"""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.services.s3.inside.in_process import within

NAMES = st.text(alphabet="ab/é\U0010ffff", min_size=1, max_size=4)
STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "put", "delete", "drop", "suspend", "enable"]), NAMES),
    max_size=14,
)


class Model:
    """Keys with their versions, newest first: (id, is a marker)."""

    def __init__(self):
        self.keys = {}

    def add(self, key, version, is_marker):
        versions = [one for one in self.keys.get(key, []) if (one[0], version) != ("null",) * 2]
        self.keys[key] = [(version, is_marker), *versions]

    def drop(self, key):
        version, _ = self.keys[key].pop()
        if not self.keys[key]:
            del self.keys[key]
        return version

    def ordered(self, prefix):
        found = (key for key in self.keys if key.startswith(prefix))
        return sorted(found, key=lambda key: key.encode())

    def listed(self, prefix, delimiter, *, versions):
        found = []
        for key in self.ordered(prefix):
            shown = [(key, *one) for one in self.keys[key]]
            if not versions:
                shown = [key] if not self.keys[key][0][1] else []
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            if cut >= 0 and shown:
                shown = [f"prefix {key[: cut + 1]}"]
            found += [one for one in shown if one not in found]
        return found


async def listed_objects(room, page, **request):
    found, token = [], {}
    while True:
        answer = await room.call("ListObjectsV2", **request, **token, MaxKeys=page)
        entries = [(c["Key"], c["Key"]) for c in answer["Contents"]]
        entries += [(p["Prefix"], f"prefix {p['Prefix']}") for p in answer["CommonPrefixes"]]
        assert answer["KeyCount"] == len(entries) <= page
        found += [shown for _, shown in sorted(entries, key=lambda one: one[0].encode())]
        if not answer["IsTruncated"]:
            return found
        token = {"ContinuationToken": answer["NextContinuationToken"]}


async def listed_versions(room, page, **request):
    found, place = [], {}
    while True:
        answer = await room.call("ListObjectVersions", **request, **place, MaxKeys=page)
        rows = [(v["Key"], v["VersionId"], False) for v in answer["Versions"]]
        rows += [(m["Key"], m["VersionId"], True) for m in answer["DeleteMarkers"]]
        prefixes = [f"prefix {p['Prefix']}" for p in answer["CommonPrefixes"]]
        assert len(rows) + len(prefixes) <= page
        found += rows + prefixes
        if not answer["IsTruncated"]:
            return found
        place = {"KeyMarker": answer["NextKeyMarker"]}
        if "NextVersionIdMarker" in answer:
            place["VersionIdMarker"] = answer["NextVersionIdMarker"]


async def play(room, model, steps):
    status = ""
    for step, key in steps:
        await room.clock.advance(1)
        named = {"Bucket": "bucket", "Key": key}
        if step in ("suspend", "enable"):
            status = "Suspended" if step == "suspend" else "Enabled"
            configuration = {"Status": status}
            await room.call(
                "PutBucketVersioning", Bucket="bucket", VersioningConfiguration=configuration
            )
        elif step == "put":
            answer = await room.call("PutObject", **named, Body=b"")
            model.add(key, answer.get("VersionId", "null"), False)
        elif step == "delete":
            answer = await room.call("DeleteObject", **named)
            if status:
                model.add(key, answer["VersionId"], True)
            else:
                model.keys.pop(key, None)
        elif key in model.keys:
            await room.call("DeleteObject", **named, VersionId=model.drop(key))


@given(
    steps=STEPS,
    versioned=st.booleans(),
    prefix=st.text("ab/", max_size=2),
    delimiter=st.sampled_from(["", "/", "b"]),
    page=st.integers(1, 4),
)
@settings(max_examples=60, deadline=None)
def test_pages_show_what_is_there_once_and_in_order(steps, versioned, prefix, delimiter, page):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")
        model = Model()
        await play(room, model, [("enable", ""), *steps] if versioned else steps)
        request = {"Bucket": "bucket", "Prefix": prefix, "Delimiter": delimiter}
        found = await listed_objects(room, page, **request)
        assert found == model.listed(prefix, delimiter, versions=False)
        # Versions, markers and prefixes come in lists of their own: only the set can be compared,
        # and within a key the order.
        found = await listed_versions(room, page, **request)
        expected = model.listed(prefix, delimiter, versions=True)
        assert sorted(map(str, found)) == sorted(map(str, expected))
        for is_marker in (True, False):
            rows = [one for one in found if isinstance(one, tuple) and one[2] is is_marker]
            wanted = [one for one in expected if isinstance(one, tuple) and one[2] is is_marker]
            assert rows == wanted

    with tempfile.TemporaryDirectory() as folder:
        within(Path(folder), work)


@given(
    uploads=st.lists(NAMES, max_size=8),
    prefix=st.text("ab/", max_size=2),
    delimiter=st.sampled_from(["", "/"]),
    page=st.integers(1, 3),
)
@settings(max_examples=30, deadline=None)
def test_pages_of_uploads(uploads, prefix, delimiter, page):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")
        expected = []
        made = []
        for key in uploads:
            begun = await room.call("CreateMultipartUpload", Bucket="bucket", Key=key)
            made.append((key, begun["UploadId"]))
        for key, upload in sorted(made, key=lambda one: (one[0].encode(), one[1])):
            if not key.startswith(prefix):
                continue
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            entry = key[: cut + 1] if cut >= 0 else (key, upload)
            if entry not in expected:
                expected.append(entry)
        found, place = [], {}
        while True:
            answer = await room.call(
                "ListMultipartUploads",
                Bucket="bucket",
                Prefix=prefix,
                Delimiter=delimiter,
                MaxUploads=page,
                **place,
            )
            entries = [(u["Key"], u["UploadId"]) for u in answer["Uploads"]]
            entries += [p["Prefix"] for p in answer["CommonPrefixes"]]
            assert len(entries) <= page
            found += entries
            if not answer["IsTruncated"]:
                break
            place = {
                "KeyMarker": answer["NextKeyMarker"],
                "UploadIdMarker": answer["NextUploadIdMarker"],
            }
        assert sorted(map(str, found)) == sorted(map(str, expected))

    with tempfile.TemporaryDirectory() as folder:
        within(Path(folder), work)


def test_a_bucket_is_emptied_while_it_is_listed(tmp_path):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")
        enabled = {"Status": "Enabled"}
        await room.call("PutObject", Bucket="bucket", Key="k", Body=b"")
        await room.call("PutBucketVersioning", Bucket="bucket", VersioningConfiguration=enabled)
        for _ in range(7):
            await room.call("PutObject", Bucket="bucket", Key="k", Body=b"")
        place = {}
        for _ in range(10):
            answer = await room.call("ListObjectVersions", Bucket="bucket", MaxKeys=2, **place)
            for row in answer["Versions"]:
                named = {"Key": row["Key"], "VersionId": row["VersionId"]}
                await room.call("DeleteObject", Bucket="bucket", **named)
            if not answer["IsTruncated"]:
                break
            place = {
                "KeyMarker": answer["NextKeyMarker"],
                "VersionIdMarker": answer["NextVersionIdMarker"],
            }
        await room.call("DeleteBucket", Bucket="bucket")

    within(tmp_path, work)


def test_many_markers_hide_their_prefix_until_something_shows(tmp_path):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")
        enabled = {"Status": "Enabled"}
        await room.call("PutBucketVersioning", Bucket="bucket", VersioningConfiguration=enabled)
        for i in range(150):
            await room.call("DeleteObject", Bucket="bucket", Key=f"a/{i:03}")
        await room.call("PutObject", Bucket="bucket", Key="b/1", Body=b"")
        listing = {"Bucket": "bucket", "Delimiter": "/", "MaxKeys": 1}
        answer = await room.call("ListObjectsV2", **listing)
        assert answer["CommonPrefixes"] == [{"Prefix": "b/"}]
        assert not answer["IsTruncated"]
        await room.call("PutObject", Bucket="bucket", Key="a/149", Body=b"")
        answer = await room.call("ListObjectsV2", **listing)
        assert answer["CommonPrefixes"] == [{"Prefix": "a/"}]
        assert answer["IsTruncated"]

    within(tmp_path, work)
