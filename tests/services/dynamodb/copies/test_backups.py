"""Backups and restores: whole tables as they were, while they are written and through kills.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Backup-and-Restore.html
"""

import contextlib
import datetime
import threading

import pytest
from tests.services.dynamodb.conftest import definition, n, refused, s
from tests.services.dynamodb.copies.conftest import by_key, fill


@pytest.fixture
def target(db, name):
    """The name of a table to restore to; it goes when the test ends."""
    yield f"{name}-again"
    with contextlib.suppress(db.exceptions.ClientError):
        db.delete_table(TableName=f"{name}-again")


def scan(db, table):
    pages = db.get_paginator("scan").paginate(TableName=table)
    return by_key(item for page in pages for item in page["Items"])


def recover(db, table, enabled=True, **more):
    given = {"PointInTimeRecoveryEnabled": enabled, **more}
    return db.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=given)[
        "ContinuousBackupsDescription"
    ]["PointInTimeRecoveryDescription"]


def test_a_backup_is_the_table_at_its_moment(db, make, target, ready, backed_up):
    table = make("p:S", gsi=[("by-g", "g:N p:S")])
    fill(db, table, 0, 600)
    before = scan(db, table)
    made = db.create_backup(TableName=table, BackupName="first")["BackupDetails"]
    fill(db, table, 300, 900, changed=s("yes"))
    db.delete_item(TableName=table, Key={"p": s("k1")})
    details = backed_up(db, made["BackupArn"])
    assert (details["BackupType"], details["BackupSizeBytes"] > 0) == ("USER", True)
    shown = db.describe_backup(BackupArn=made["BackupArn"])["BackupDescription"]
    assert shown["SourceTableDetails"]["ItemCount"] == 600
    indexes = shown["SourceTableFeatureDetails"]["GlobalSecondaryIndexes"]
    assert [one["IndexName"] for one in indexes] == ["by-g"]
    restored = db.restore_table_from_backup(TargetTableName=target, BackupArn=made["BackupArn"])
    summary = restored["TableDescription"]["RestoreSummary"]
    assert summary["SourceBackupArn"] == made["BackupArn"]
    assert by_key(ready(db, target)) == before
    description = db.describe_table(TableName=target)["Table"]
    assert description["ItemCount"] == 600
    assert description["GlobalSecondaryIndexes"][0]["ItemCount"] == 600
    assert description["RestoreSummary"]["RestoreInProgress"] is False
    found = db.query(
        TableName=target,
        IndexName="by-g",
        KeyConditionExpression="g = :g",
        ExpressionAttributeValues={":g": n(3)},
    )
    assert found["Count"] == sum(item["g"] == n(3) for item in before)
    db.delete_backup(BackupArn=made["BackupArn"])
    code, _ = refused(db.describe_backup, BackupArn=made["BackupArn"])
    assert code == "BackupNotFoundException"


def test_backups_are_listed_by_table_and_kind(db, make, backed_up):
    table = make()
    arns = []
    for number in range(3):
        made = db.create_backup(TableName=table, BackupName=f"b-{number}")
        arns.append(made["BackupDetails"]["BackupArn"])
        backed_up(db, arns[-1])
    first = db.list_backups(TableName=table, Limit=2)
    assert [one["BackupArn"] for one in first["BackupSummaries"]] == arns[:2]
    rest = db.list_backups(
        TableName=table, ExclusiveStartBackupArn=first["LastEvaluatedBackupArn"]
    )["BackupSummaries"]
    assert [one["BackupName"] for one in rest] == ["b-2"]
    assert db.list_backups(TableName=table, BackupType="SYSTEM")["BackupSummaries"] == []
    for arn in arns:
        db.delete_backup(BackupArn=arn)


def test_a_restore_may_leave_indexes_out_and_change_the_capacity(
    db, make, target, ready, backed_up
):
    table = make("p:S", gsi=[("by-g", "g:N"), ("by-p", "p:S")])
    fill(db, table, 0, 5)
    arn = db.create_backup(TableName=table, BackupName="one")["BackupDetails"]["BackupArn"]
    backed_up(db, arn)
    index = definition("x", gsi=[("by-g", "g:N")])["GlobalSecondaryIndexes"]
    index[0]["ProvisionedThroughput"] = units = {"ReadCapacityUnits": 2, "WriteCapacityUnits": 3}
    db.restore_table_from_backup(
        TargetTableName=target,
        BackupArn=arn,
        BillingModeOverride="PROVISIONED",
        ProvisionedThroughputOverride=units,
        GlobalSecondaryIndexOverride=index,
    )
    assert len(ready(db, target)) == 5
    description = db.describe_table(TableName=target)["Table"]
    assert [one["IndexName"] for one in description["GlobalSecondaryIndexes"]] == ["by-g"]
    assert description["ProvisionedThroughput"]["WriteCapacityUnits"] == 3
    code, _ = refused(db.restore_table_from_backup, TargetTableName=target, BackupArn=arn)
    assert code == "TableAlreadyExistsException"
    db.delete_backup(BackupArn=arn)


def moment(db, table):
    """A moment behind all that was answered, as the cloud's clock is this machine's."""
    return datetime.datetime.now(datetime.UTC)


def test_every_moment_of_the_recovery_period_comes_back(db, make, target, ready):
    table = make("p:S s:N", gsi=[("by-g", "g:N")])
    described = recover(db, table)
    assert described["PointInTimeRecoveryStatus"] == "ENABLED"
    assert described["RecoveryPeriodInDays"] == 35

    def put(key, number, **more):
        db.put_item(TableName=table, Item={"p": s(key), "s": n(number), **more})

    states = []
    for turn in range(4):
        for number in range(20):
            put(f"k{number % 3}", number, turn=n(turn), g=n(number))
        db.delete_item(TableName=table, Key={"p": s("k0"), "s": n(turn * 3)})
        put("new", turn)
        states.append((moment(db, table), scan(db, table)))
    for at, state in states:
        db.restore_table_to_point_in_time(
            SourceTableName=table, TargetTableName=target, RestoreDateTime=at
        )
        assert by_key(ready(db, target)) == state
        db.delete_table(TableName=target)
    db.restore_table_to_point_in_time(
        SourceTableName=table, TargetTableName=target, UseLatestRestorableTime=True
    )
    assert by_key(ready(db, target)) == states[-1][1]


def test_only_moments_of_the_recovery_period_come_back(db, make, target):
    table = make()
    restore = {"SourceTableName": table, "TargetTableName": target}
    code, _ = refused(db.restore_table_to_point_in_time, UseLatestRestorableTime=True, **restore)
    assert code == "PointInTimeRecoveryUnavailableException"
    recover(db, table, RecoveryPeriodInDays=2)
    now = datetime.datetime.now(datetime.UTC)
    for other in (now - datetime.timedelta(hours=1), now + datetime.timedelta(hours=1)):
        code, _ = refused(db.restore_table_to_point_in_time, RestoreDateTime=other, **restore)
        assert code == "InvalidRestoreTimeException"
    assert recover(db, table, enabled=False) == {"PointInTimeRecoveryStatus": "DISABLED"}
    described = db.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert described["ContinuousBackupsStatus"] == "ENABLED"
    assert described["PointInTimeRecoveryDescription"] == {"PointInTimeRecoveryStatus": "DISABLED"}
    code, _ = refused(db.describe_continuous_backups, TableName="nowhere-at-all")
    assert code == "TableNotFoundException"


def test_a_deleted_table_with_recovery_leaves_a_system_backup(db, make, target, ready):
    table = make("p:S", gsi=[("by-g", "g:N")])
    fill(db, table, 0, 60)
    recover(db, table)
    before = scan(db, table)
    db.delete_table(TableName=table)
    (kept,) = db.list_backups(TableName=table, BackupType="SYSTEM")["BackupSummaries"]
    assert kept["BackupStatus"] == "AVAILABLE"
    assert kept["BackupExpiryDateTime"] > kept["BackupCreationDateTime"]
    db.restore_table_from_backup(TargetTableName=target, BackupArn=kept["BackupArn"])
    assert by_key(ready(db, target)) == before
    db.delete_backup(BackupArn=kept["BackupArn"])


def test_a_backup_under_writes_holds_each_transaction_whole(db, make, target, ready, backed_up):
    table = make()
    fill(db, table, 0, 1_000)
    stop = threading.Event()

    def write():
        turn = 0
        while not stop.is_set():
            turn += 1
            puts = [
                {"Put": {"TableName": table, "Item": {"p": s(f"pair-{side}"), "turn": n(turn)}}}
                for side in "abcdefgh"
            ]
            db.transact_write_items(TransactItems=puts)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        arns = []
        for number in range(3):
            made = db.create_backup(TableName=table, BackupName=f"live-{number}")
            arns.append(made["BackupDetails"]["BackupArn"])
        for arn in arns:
            backed_up(db, arn)
    finally:
        stop.set()
        writer.join()
    for arn in arns:
        db.restore_table_from_backup(TargetTableName=target, BackupArn=arn)
        items = ready(db, target)
        pairs = [item["turn"]["N"] for item in items if item["p"]["S"].startswith("pair-")]
        assert len(set(pairs)) <= 1
        assert len(pairs) in (0, 8)
        db.delete_table(TableName=target)
        db.delete_backup(BackupArn=arn)


def test_a_copy_goes_on_after_a_kill(new_cloud, ready, backed_up, until):
    cloud = new_cloud()
    db = cloud.client("dynamodb")
    db.create_table(**definition("origin", gsi=[("by-g", "g:N")]))
    fill(db, "origin", 0, 3_000, text=s("x" * 300))
    before = scan(db, "origin")
    arn = db.create_backup(TableName="origin", BackupName="one")["BackupDetails"]["BackupArn"]
    fill(db, "origin", 0, 100, changed=s("yes"))
    cloud.kill()
    db = cloud.start().client("dynamodb")
    backed_up(db, arn)
    db.restore_table_from_backup(TargetTableName="copy", BackupArn=arn)
    until(lambda: db.describe_table(TableName="copy")["Table"]["ItemCount"] > 0)
    cloud.kill()
    db = cloud.start().client("dynamodb")
    assert by_key(ready(db, "copy")) == before
    assert db.describe_table(TableName="copy")["Table"]["ItemCount"] == 3_000


def test_a_table_that_is_being_restored_cannot_be_used(db, make, target, ready, backed_up):
    table = make()
    fill(db, table, 0, 2_000, text=s("x" * 200))
    arn = db.create_backup(TableName=table, BackupName="one")["BackupDetails"]["BackupArn"]
    backed_up(db, arn)
    made = db.restore_table_from_backup(TargetTableName=target, BackupArn=arn)
    assert made["TableDescription"]["TableStatus"] == "CREATING"

    def status():
        return db.describe_table(TableName=target)["Table"]["TableStatus"]

    while True:
        try:
            db.scan(TableName=target, Limit=1)
            found = True
        except db.exceptions.ResourceNotFoundException:
            found = False
        if status() == "ACTIVE":
            break
        assert not found, "it was read before it was there"
    assert len(ready(db, target)) == 2_000
    db.delete_backup(BackupArn=arn)
