"""Exports to S3 and imports from it.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.Format.html
"""

import base64
import datetime
import gzip
import hashlib
import json

import pytest
from botocore.exceptions import ClientError
from tests.services.dynamodb.conftest import definition, n, refused, s
from tests.services.dynamodb.copies.conftest import by_key, fill


@pytest.fixture
def s3(cloud):
    return cloud.client("s3")


@pytest.fixture
def bucket(s3, name):
    """A bucket of the test's own."""
    bucket = f"b-{name}"[:55].lower().strip("-.")
    s3.create_bucket(Bucket=bucket)
    yield bucket
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for one in page.get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=one["Key"])
    s3.delete_bucket(Bucket=bucket)


@pytest.fixture
def ended(db, until):
    """Waits until an export or import has ended, and gives its description."""

    def wait(arn, client=None):
        def ask():
            if "/export/" in arn:
                found = (client or db).describe_export(ExportArn=arn)["ExportDescription"]
                return found if found["ExportStatus"] != "IN_PROGRESS" else None
            found = (client or db).describe_import(ImportArn=arn)["ImportTableDescription"]
            return found if found["ImportStatus"] != "IN_PROGRESS" else None

        return until(ask)

    return wait


@pytest.fixture
def recovering(db, make):
    """The test's table, with point-in-time recovery."""

    def make_table(*words, **more):
        table = make(*words, **more)
        db.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        return table, db.describe_table(TableName=table)["Table"]["TableArn"]

    return make_table


def read(s3, bucket, key):
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def test_an_export_is_the_table_at_its_moment_with_manifests(db, s3, recovering, bucket, ended):
    table, arn = recovering()
    fill(db, table, 0, 500, b={"B": b"\0\xff"})
    before = by_key(db.scan(TableName=table)["Items"])
    at = datetime.datetime.now(datetime.UTC)
    fill(db, table, 200, 600, later=s("yes"))
    begun = db.export_table_to_point_in_time(
        TableArn=arn, S3Bucket=bucket, S3Prefix="out", ExportTime=at
    )["ExportDescription"]
    assert begun["ExportStatus"] in ("IN_PROGRESS", "COMPLETED")
    done = ended(begun["ExportArn"])
    assert (done["ExportStatus"], done["ItemCount"]) == ("COMPLETED", 500)
    folder = f"out/AWSDynamoDB/{begun['ExportArn'].rpartition('/')[2]}"
    assert done["ExportManifest"] == f"{folder}/manifest-summary.json"
    summary = json.loads(read(s3, bucket, done["ExportManifest"]))
    assert (summary["itemCount"], summary["outputFormat"]) == (500, "DYNAMODB_JSON")
    assert summary["exportArn"] == begun["ExportArn"]
    files = read(s3, bucket, summary["manifestFilesS3Key"])
    assert read(s3, bucket, f"{folder}/manifest-files.checksum").decode() == (
        base64.b64encode(hashlib.md5(files).digest()).decode()
    )
    found = []
    for line in files.splitlines():
        file = json.loads(line)
        content = read(s3, bucket, file["dataFileS3Key"])
        assert base64.b64encode(hashlib.md5(content).digest()).decode() == file["md5Checksum"]
        rows = gzip.decompress(content).splitlines()
        assert len(rows) == file["itemCount"]
        found += [json.loads(row)["Item"] for row in rows]
    for item in found:
        item["b"]["B"] = base64.b64decode(item["b"]["B"])
    assert by_key(found) == before
    listed = db.list_exports(TableArn=arn)["ExportSummaries"]
    assert [one["ExportArn"] for one in listed] == [begun["ExportArn"]]


def test_an_export_says_why_it_failed(db, recovering, ended):
    table, arn = recovering()
    begun = db.export_table_to_point_in_time(TableArn=arn, S3Bucket="no-such-bucket-at-all")
    done = ended(begun["ExportDescription"]["ExportArn"])
    assert (done["ExportStatus"], done["FailureCode"]) == ("FAILED", "S3NoSuchBucket")
    db.delete_table(TableName=table)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"ExportFormat": "ION"}, "ExportFormat must be DYNAMODB_JSON"),
        ({"ExportType": "INCREMENTAL_EXPORT"}, "ExportType must be FULL_EXPORT"),
        ({"S3SseAlgorithm": "KMS"}, "S3SseAlgorithm must be AES256"),
        ({"FilterSpecification": {"FilterExpression": "a = b"}}, "FilterSpecification is not"),
    ],
)
def test_what_an_export_cannot_do_is_refused(db, recovering, bucket, more, said):
    _, arn = recovering()
    found = refused(db.export_table_to_point_in_time, TableArn=arn, S3Bucket=bucket, **more)
    assert (found[0], said in found[1]) == ("ValidationException", True)


def test_an_export_needs_recovery_and_a_token_makes_it_once(db, make, bucket, ended):
    table = make()
    arn = db.describe_table(TableName=table)["Table"]["TableArn"]
    ask = {"TableArn": arn, "S3Bucket": bucket}
    code, _ = refused(db.export_table_to_point_in_time, **ask)
    assert code == "PointInTimeRecoveryUnavailableException"
    db.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    code, _ = refused(db.export_table_to_point_in_time, ExportTime=past, **ask)
    assert code == "InvalidExportTimeException"
    arns = {
        db.export_table_to_point_in_time(ClientToken="one", **ask)["ExportDescription"]["ExportArn"]
        for _ in range(2)
    }
    assert len(arns) == 1
    code, _ = refused(db.export_table_to_point_in_time, ClientToken="one", S3Prefix="other", **ask)
    assert code == "ExportConflictException"
    ended(arns.pop())


def importing(name, bucket, form, **more):
    created = definition(name, "p:S", gsi=[("by-g", "g:N")])
    return {
        "S3BucketSource": {"S3Bucket": bucket, "S3KeyPrefix": more.pop("prefix", "in/")},
        "InputFormat": form,
        "TableCreationParameters": created,
        **more,
    }


@pytest.fixture
def gone_after(db, name):
    """The name of the table that an import makes; it goes when the test ends."""
    yield name
    db.delete_table(TableName=name)


def test_an_export_is_imported(db, s3, recovering, bucket, ended):
    table, arn = recovering()
    fill(db, table, 0, 300, b={"B": b"\0\xff"}, ns={"NS": ["1", "2"]})
    begun = db.export_table_to_point_in_time(TableArn=arn, S3Bucket=bucket)["ExportDescription"]
    done = ended(begun["ExportArn"])
    folder = done["ExportManifest"].rpartition("/")[0]
    other = f"{table}-in"
    request = importing(other, bucket, "DYNAMODB_JSON", prefix=f"{folder}/data/")
    begun = db.import_table(InputCompressionType="GZIP", **request)["ImportTableDescription"]
    done = ended(begun["ImportArn"])
    assert (done["ImportStatus"], done["ImportedItemCount"]) == ("COMPLETED", 300)
    items = [by_key(db.scan(TableName=one)["Items"]) for one in (table, other)]
    assert items[0] == items[1]
    index = db.describe_table(TableName=other)["Table"]["GlobalSecondaryIndexes"][0]
    assert (index["IndexName"], index["ItemCount"]) == ("by-g", 300)
    db.delete_table(TableName=other)


def test_csv_comes_in_with_its_keys_typed(db, s3, bucket, gone_after, ended):
    text = 'p;g;note\na;1;"two\nlines; ""quoted"""\nb;;\nc;x;bad\n'
    s3.put_object(Bucket=bucket, Key="in/1.csv", Body=text.encode())
    s3.put_object(Bucket=bucket, Key="in/2.csv", Body=b"p;g;note\r\nd;2;crlf\r\n")
    s3.put_object(Bucket=bucket, Key="other/3.csv", Body=b"p\nz\n")
    options = {"Csv": {"Delimiter": ";"}}
    request = importing(gone_after, bucket, "CSV", InputFormatOptions=options)
    begun = db.import_table(**request)["ImportTableDescription"]
    assert begun["InputFormatOptions"] == options
    done = ended(begun["ImportArn"])
    assert (done["ImportStatus"], done["ImportedItemCount"], done["ErrorCount"]) == (
        "COMPLETED",
        3,
        1,
    )
    found = {item["p"]["S"]: item for item in db.scan(TableName=gone_after)["Items"]}
    assert found == {
        "a": {"p": s("a"), "g": n(1), "note": s('two\nlines; "quoted"')},
        "b": {"p": s("b"), "note": s("")},
        "d": {"p": s("d"), "g": n(2), "note": s("crlf")},
    }
    arn = db.describe_table(TableName=gone_after)["Table"]["TableArn"]
    listed = db.list_imports(TableArn=arn)["ImportSummaryList"]
    assert [one["ImportArn"] for one in listed] == [begun["ImportArn"]]


def test_rows_that_cannot_be_imported_are_logged(cloud, db, s3, bucket, gone_after, ended, until):
    s3.put_object(Bucket=bucket, Key="in/x", Body=b'{"Item": {"g": {"N": "1"}}}\nnonsense\n')
    begun = db.import_table(**importing(gone_after, bucket, "DYNAMODB_JSON"))
    arn = begun["ImportTableDescription"]["ImportArn"]
    done = ended(arn)
    assert (done["ErrorCount"], done["ImportedItemCount"]) == (2, 0)
    logs = cloud.client("logs")
    stream = f"{arn.rpartition('/')[2]}/error"

    def lines():
        try:
            events = logs.get_log_events(
                logGroupName="/aws-dynamodb/imports", logStreamName=stream
            )["events"]
        except ClientError:
            return None
        return [one["message"] for one in events] if len(events) == 2 else None

    first, second = until(lines)
    assert first.startswith("in/x: row 1: One or more parameter values were invalid: Missing")
    assert second.startswith("in/x: row 2: ")


@pytest.mark.parametrize(
    ("form", "more", "said"),
    [
        ("ION", {}, "InputFormat ION is not supported"),
        ("CSV", {"InputCompressionType": "ZSTD"}, "ZSTD is not supported"),
        ("DYNAMODB_JSON", {"InputFormatOptions": {"Csv": {"Delimiter": ";"}}}, "CSV only"),
    ],
)
def test_what_an_import_cannot_do_is_refused(db, name, form, more, said):
    found = refused(db.import_table, **importing(name, "some-bucket", form, **more))
    assert (found[0], said in found[1]) == ("ValidationException", True)


def test_an_import_fails_with_what_s3_says(db, name, ended, make):
    begun = db.import_table(**importing(name, "no-such-bucket-at-all", "CSV"))
    done = ended(begun["ImportTableDescription"]["ImportArn"])
    assert (done["ImportStatus"], done["FailureCode"]) == ("FAILED", "S3NoSuchBucket")
    code, _ = refused(db.import_table, **importing(name, "no-such-bucket-at-all", "CSV"))
    assert code == "ResourceInUseException"
    db.delete_table(TableName=name)


def test_an_import_goes_on_after_a_kill(new_cloud, until, ended):
    cloud = new_cloud()
    db, s3 = cloud.client("dynamodb"), cloud.client("s3")
    s3.create_bucket(Bucket="rows")
    for part in range(2):
        lines = [
            json.dumps({"Item": {"p": s(f"{part}-{row}"), "g": n(row % 9), "t": s("x" * 100)}})
            for row in range(15_000)
        ]
        body = gzip.compress("\n".join(lines).encode(), 1)
        s3.put_object(Bucket="rows", Key=f"in/{part}.json.gz", Body=body)
    begun = db.import_table(
        InputCompressionType="GZIP", **importing("big", "rows", "DYNAMODB_JSON")
    )["ImportTableDescription"]
    until(lambda: db.describe_table(TableName="big")["Table"]["ItemCount"] >= 2_000)
    cloud.kill()
    db = cloud.start().client("dynamodb")
    done = ended(begun["ImportArn"], db)
    assert (done["ImportStatus"], done["ImportedItemCount"]) == ("COMPLETED", 30_000)
    table = db.describe_table(TableName="big")["Table"]
    assert (table["TableStatus"], table["ItemCount"]) == ("ACTIVE", 30_000)
    assert table["GlobalSecondaryIndexes"][0]["ItemCount"] == 30_000
