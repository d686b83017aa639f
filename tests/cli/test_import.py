"""`cumulet import`: formats, what is refused, and going on after a kill of either side."""

import contextlib
import gzip
import json
import os
import signal
import subprocess
import sys

import pytest

ROWS = 30_000


@pytest.fixture
def table(new_cloud):
    """A cloud with a table that has an index and a stream, its client, and words for the CLI."""
    cloud = new_cloud()
    db = cloud.client("dynamodb")
    db.create_table(
        TableName="rows",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "age", "AttributeType": "N"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-age",
                "KeySchema": [{"AttributeName": "age", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return cloud, db


def importing(cloud, *words):
    command = [sys.executable, "-m", "cumulet", "import", "rows", *map(str, words)]
    return [*command, "--data", str(cloud.data)]


def do_import(cloud, *words):
    return subprocess.run(
        importing(cloud, *words), capture_output=True, text=True, timeout=120, check=False
    )


def get(db, key):
    return db.get_item(TableName="rows", Key={"id": {"S": key}}).get("Item")


def test_each_format_gives_the_same_kind_of_items(table, tmp_path):
    cloud, db = table
    csv = tmp_path / "rows.csv"
    csv.write_text('id,age,note\nc1,41,"two\nlines, ""quoted"""\nc2,,x\n')
    lines = tmp_path / "rows.jsonl"
    plain = {"id": "j1", "age": 12345678901234567890, "f": 0.10, "l": [True, None, {"m": "x"}]}
    lines.write_text(json.dumps(plain) + "\n\n")
    export = tmp_path / "export.json.gz"
    item = {"id": {"S": "d1"}, "b": {"B": "AAE="}, "ns": {"NS": ["1", "2"]}}
    export.write_bytes(gzip.compress(json.dumps({"Item": item}).encode() + b"\n"))
    done = do_import(cloud, csv, lines, export, "--json")
    assert (done.returncode, json.loads(done.stdout)["rows"]) == (0, 4), done.stderr
    assert get(db, "c1")["note"] == {"S": 'two\nlines, "quoted"'}
    assert get(db, "c1")["age"] == {"N": "41"}
    assert get(db, "c2") == {"id": {"S": "c2"}, "note": {"S": "x"}}
    assert get(db, "j1") == {
        "id": {"S": "j1"},
        "age": {"N": "12345678901234567890"},
        "f": {"N": "0.1"},
        "l": {"L": [{"BOOL": True}, {"NULL": True}, {"M": {"m": {"S": "x"}}}]},
    }
    assert get(db, "d1") == {"id": {"S": "d1"}, "b": {"B": b"\0\1"}, "ns": {"NS": ["1", "2"]}}
    index = {"IndexName": "by-age", "KeyConditionExpression": "age = :a"}
    values = {":a": {"N": "41"}}
    found = db.query(TableName="rows", ExpressionAttributeValues=values, **index)
    assert found["Items"] == [{"id": {"S": "c1"}, "age": {"N": "41"}}]


def test_an_import_happens_once_unless_it_is_asked_for_again(table, tmp_path):
    cloud, db = table
    file = tmp_path / "rows.jsonl"
    file.write_text('{"id": "a", "v": 1}\n')
    assert do_import(cloud, file).returncode == 0
    db.put_item(TableName="rows", Item={"id": {"S": "a"}, "v": {"N": "2"}})
    done = do_import(cloud, file)
    assert (done.returncode, "were imported before" in done.stderr) == (0, True)
    assert get(db, "a")["v"] == {"N": "2"}
    assert do_import(cloud, file, "--again").returncode == 0
    assert get(db, "a")["v"] == {"N": "1"}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.jsonl", '{"id": "a"}\n{"v": 1}\n', "x.jsonl, row 2: One or more parameter values were"),
        ("x.jsonl", '{"id": "a"}\n{"id": \n', "x.jsonl, row 2: "),
        ("x.csv", "id,v\na,1\nb\n", "x.csv: a row has 1 values, the header 2"),
        ("x.txt", "hello\n", "its first line is no JSON"),
    ],
)
def test_a_row_that_does_not_fit_is_named(table, tmp_path, name, content, said):
    cloud, _ = table
    file = tmp_path / name
    file.write_text(content)
    done = do_import(cloud, file)
    assert done.returncode == 1
    assert said in done.stderr


def test_a_table_must_be_there(table, tmp_path):
    cloud, db = table
    db.delete_table(TableName="rows")
    file = tmp_path / "x.jsonl"
    file.write_text('{"id": "a"}\n')
    done = do_import(cloud, file)
    assert (done.returncode, "create the table first" in done.stderr) == (1, True)


def big_file(folder):
    file = folder / "big.jsonl.gz"
    with gzip.open(file, "wt", compresslevel=1) as lines:
        for number in range(ROWS):
            row = {"id": f"r{number}", "age": number % 50, "text": "x" * 50}
            lines.write(json.dumps(row) + "\n")
    return file


def wait_for_rows(db, least):
    for _ in range(10_000):
        count = db.describe_table(TableName="rows")["Table"]["ItemCount"]
        if count >= least:
            return count
    raise AssertionError("no rows came")


def assert_whole(cloud, db):
    description = db.describe_table(TableName="rows")["Table"]
    assert description["ItemCount"] == ROWS
    assert description["GlobalSecondaryIndexes"][0]["ItemCount"] == ROWS
    pages = db.get_paginator("scan").paginate(TableName="rows", Select="COUNT")
    assert sum(page["Count"] for page in pages) == ROWS


def test_an_import_that_was_killed_goes_on(table, tmp_path):
    cloud, db = table
    file = big_file(tmp_path)
    running = subprocess.Popen(
        importing(cloud, file), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for_rows(db, 2_000)
    with contextlib.suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGKILL)
    running.wait(30)
    done = do_import(cloud, file, "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["rows"]) == (0, ROWS), done.stderr
    assert told["imported"] <= ROWS - 2_000
    assert_whole(cloud, db)


def test_a_cloud_that_was_killed_is_gone_on_with(table, tmp_path):
    cloud, db = table
    file = big_file(tmp_path)
    running = subprocess.Popen(
        importing(cloud, file), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for_rows(db, 2_000)
    cloud.kill()
    running.terminate()
    running.wait(60)
    db = cloud.start().client("dynamodb")
    done = do_import(cloud, file, "--json")
    assert (done.returncode, json.loads(done.stdout)["rows"]) == (0, ROWS), done.stderr
    assert_whole(cloud, db)


def test_loading_is_permitted_as_batch_write_item_is(table, tmp_path):
    """LoadItems is no operation of AWS, and asks for the permission of one."""
    cloud, db = table
    iam = cloud.client("iam")
    iam.create_user(UserName="loader")
    key = iam.create_access_key(UserName="loader")["AccessKey"]
    file = tmp_path / "x.jsonl"
    file.write_text('{"id": "a"}\n')

    def attach(*actions):
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": statement}
        iam.put_user_policy(UserName="loader", PolicyName="p", PolicyDocument=json.dumps(document))

    environment = {
        **cloud.environment(),
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    words = [sys.executable, "-m", "cumulet", "import", "rows", str(file)]
    words += ["--endpoint", cloud.endpoint]

    def attempt():
        return subprocess.run(
            words, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    attach("dynamodb:DescribeTable", "dynamodb:PutItem")
    refused = attempt()
    assert (refused.returncode, "dynamodb:BatchWriteItem" in refused.stderr) == (1, True)
    assert get(db, "a") is None
    attach("dynamodb:DescribeTable", "dynamodb:BatchWriteItem")
    assert attempt().returncode == 0
    assert get(db, "a") == {"id": {"S": "a"}}
