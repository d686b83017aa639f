"""What there is none of is shown as none, and refused by name when it is asked for.

The shapes are those of DynamoDB's model: KinesisDataStreamDestinations,
GlobalTableNotFoundException.
"""

from tests.services.dynamodb.conftest import refused


def test_there_is_no_kinesis(db, make):
    table = make()
    arn = "arn:aws:kinesis:us-east-1:000000000000:stream/some-stream"
    asked = {"TableName": table, "StreamArn": arn}
    for call in (
        db.enable_kinesis_streaming_destination,
        db.update_kinesis_streaming_destination,
    ):
        code, said = refused(call, **asked)
        assert (code, "no Kinesis" in said) == ("ValidationException", True)
    code, _ = refused(db.disable_kinesis_streaming_destination, **asked)
    assert code == "ResourceNotFoundException"


def test_there_are_no_global_tables(db):
    assert db.list_global_tables()["GlobalTables"] == []
    named = {"GlobalTableName": "some-table"}
    replicas = [{"RegionName": "us-east-1"}]
    code, said = refused(db.create_global_table, ReplicationGroup=replicas, **named)
    assert (code, "no global tables" in said) == ("ValidationException", True)
    for call, more in (
        (db.describe_global_table, {}),
        (db.describe_global_table_settings, {}),
        (db.update_global_table, {"ReplicaUpdates": []}),
        (db.update_global_table_settings, {}),
    ):
        assert refused(call, **named, **more)[0] == "GlobalTableNotFoundException"
