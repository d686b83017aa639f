"""AWS::DynamoDB::Table in stacks.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
"""

import json

import pytest
from tests.services.dynamodb.conftest import n, s


@pytest.fixture
def stack(cloud, name):
    cfn = cloud.client("cloudformation")
    made = []

    def deploy(**properties):
        resource = {"Type": "AWS::DynamoDB::Table", "Properties": properties}
        outputs = {
            "Name": {"Value": {"Ref": "Table"}},
            "Arn": {"Value": {"Fn::GetAtt": ["Table", "Arn"]}},
        }
        body = json.dumps({"Resources": {"Table": resource}, "Outputs": outputs})
        if made:
            cfn.update_stack(StackName=name, TemplateBody=body)
        else:
            cfn.create_stack(StackName=name, TemplateBody=body)
            made.append(name)
        kind = "stack_update_complete" if len(made) > 1 else "stack_create_complete"
        made.append(kind)
        cfn.get_waiter(kind).wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        found = cfn.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
        return {one["OutputKey"]: one["OutputValue"] for one in found}

    yield deploy
    cfn.delete_stack(StackName=name)
    cfn.get_waiter("stack_delete_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def properties(*names, **more):
    return {
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
        "AttributeDefinitions": [
            {"AttributeName": one, "AttributeType": "S"} for one in ("p", *names)
        ],
        "BillingMode": "PAY_PER_REQUEST",
        **more,
    }


def index(name, attribute):
    return {
        "IndexName": name,
        "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }


def test_a_stack_makes_a_table_and_changes_it_in_place(db, stack):
    made = stack(
        **properties(
            "g",
            GlobalSecondaryIndexes=[index("one", "g")],
            StreamSpecification={"StreamViewType": "KEYS_ONLY"},
            TimeToLiveSpecification={"AttributeName": "until", "Enabled": True},
            Tags=[{"Key": "a", "Value": "1"}],
        )
    )
    table = db.describe_table(TableName=made["Name"])["Table"]
    assert table["TableArn"] == made["Arn"]
    assert table["StreamSpecification"]["StreamViewType"] == "KEYS_ONLY"
    db.put_item(TableName=made["Name"], Item={"p": s("1"), "g": s("x"), "h": s("y"), "v": n(1)})
    changed = stack(
        **properties(
            "h",
            GlobalSecondaryIndexes=[index("two", "h")],
            StreamSpecification={"StreamViewType": "NEW_IMAGE"},
            Tags=[{"Key": "b", "Value": "2"}],
            DeletionProtectionEnabled=False,
        )
    )
    assert changed == made
    table = db.describe_table(TableName=made["Name"])["Table"]
    assert [one["IndexName"] for one in table["GlobalSecondaryIndexes"]] == ["two"]
    assert table["StreamSpecification"]["StreamViewType"] == "NEW_IMAGE"
    assert db.scan(TableName=made["Name"], IndexName="two")["Count"] == 1
    expiry = db.describe_time_to_live(TableName=made["Name"])["TimeToLiveDescription"]
    assert expiry["TimeToLiveStatus"] == "DISABLED"
    tags = db.list_tags_of_resource(ResourceArn=made["Arn"])["Tags"]
    assert {"Key": "b", "Value": "2"} in tags
    assert {"Key": "a", "Value": "1"} not in tags


def test_contributor_insights_follow_the_template(stack, db):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-dynamodb-table-contributorinsightsspecification.html"""
    on = {"Enabled": True}
    counted = {**index("by-g", "g"), "ContributorInsightsSpecification": on}
    table = stack(
        **properties(
            "g",
            GlobalSecondaryIndexes=[counted],
            ContributorInsightsSpecification={"Enabled": True, "Mode": "THROTTLED_KEYS"},
        )
    )["Name"]

    def modes():
        found = db.list_contributor_insights(TableName=table)["ContributorInsightsSummaries"]
        return {one.get("IndexName", ""): one.get("ContributorInsightsMode", "") for one in found}

    assert modes() == {"": "THROTTLED_KEYS", "by-g": "ACCESSED_AND_THROTTLED_KEYS"}
    stack(
        **properties(
            "g", GlobalSecondaryIndexes=[index("by-g", "g")], ContributorInsightsSpecification=on
        )
    )
    assert modes() == {"": "ACCESSED_AND_THROTTLED_KEYS", "by-g": ""}
