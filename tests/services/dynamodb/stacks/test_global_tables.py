"""AWS::DynamoDB::GlobalTable in stacks, with one replica in the stack's own region.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html
"""

import json

import pytest
from botocore.exceptions import WaiterError
from tests.services.dynamodb.conftest import s

FAST = {"Delay": 1, "MaxAttempts": 60}


@pytest.fixture
def cfn(cloud):
    return cloud.client("cloudformation")


def template(*replicas, **more):
    properties = {
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
        "AttributeDefinitions": [
            {"AttributeName": one, "AttributeType": "S"} for one in ("p", "g")
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by-g",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
                "WriteOnDemandThroughputSettings": {"MaxWriteRequestUnits": 50},
            }
        ],
        "Replicas": list(replicas) or [{"Region": {"Ref": "AWS::Region"}}],
        **more,
    }
    resource = {"Type": "AWS::DynamoDB::GlobalTable", "Properties": properties}
    outputs = {
        "Name": {"Value": {"Ref": "Table"}},
        "Id": {"Value": {"Fn::GetAtt": ["Table", "TableId"]}},
    }
    return json.dumps({"Resources": {"Table": resource}, "Outputs": outputs})


def outputs_of(cfn, name):
    found = cfn.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    return {one["OutputKey"]: one["OutputValue"] for one in found}


def test_one_replica_is_a_table(cfn, db, name):
    replica = {
        "Region": {"Ref": "AWS::Region"},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "Tags": [{"Key": "team", "Value": "one"}],
        "ReadOnDemandThroughputSettings": {"MaxReadRequestUnits": 70},
    }
    cfn.create_stack(StackName=name, TemplateBody=template(replica))
    cfn.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=FAST)
    made = outputs_of(cfn, name)
    table = db.describe_table(TableName=made["Name"])["Table"]
    assert table["TableId"] == made["Id"]
    assert table["OnDemandThroughput"]["MaxReadRequestUnits"] == 70
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["OnDemandThroughput"]["MaxWriteRequestUnits"] == 50
    described = db.describe_continuous_backups(TableName=made["Name"])
    point = described["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert point["PointInTimeRecoveryStatus"] == "ENABLED"
    db.put_item(TableName=made["Name"], Item={"p": s("kept")})
    stream = {"StreamViewType": "KEYS_ONLY"}
    changed = template({"Region": {"Ref": "AWS::Region"}}, StreamSpecification=stream)
    cfn.update_stack(StackName=name, TemplateBody=changed)
    cfn.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig=FAST)
    table = db.describe_table(TableName=made["Name"])["Table"]
    assert (table["StreamSpecification"]["StreamViewType"], table["ItemCount"]) == ("KEYS_ONLY", 1)
    assert db.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"] == []
    cfn.delete_stack(StackName=name)
    cfn.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=FAST)
    assert made["Name"] not in db.list_tables()["TableNames"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (template({"Region": "us-east-1"}, {"Region": "eu-west-1"}), "there must be one replica"),
        (template({"Region": "eu-west-1"}), "there must be one replica"),
        (template(BillingMode="PROVISIONED"), "must be PAY_PER_REQUEST"),
    ],
)
def test_what_one_region_cannot_be_is_refused(cfn, name, body, said):
    cfn.create_stack(StackName=name, TemplateBody=body)
    with pytest.raises(WaiterError):
        cfn.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=FAST)
    events = cfn.describe_stack_events(StackName=name)["StackEvents"]
    assert any(said in one.get("ResourceStatusReason", "") for one in events)
    cfn.delete_stack(StackName=name)
