"""Stacks with IAM and SSM in them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html
"""

import json

import pytest
from botocore.exceptions import WaiterError
from tests.services.iam.iam_words import allow, document, trust

S3_READ = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
WAIT = {"Delay": 1, "MaxAttempts": 60}


def value(text):
    return json.loads(text)


class Stack:
    """A stack of a test's own."""

    def __init__(self, cloud, name):
        self.client = cloud.client("cloudformation")
        self.name = name

    def _body(self, resources, outputs):
        body = {"Resources": resources}
        if outputs:
            body["Outputs"] = {key: {"Value": told} for key, told in outputs.items()}
        return {
            "StackName": self.name,
            "TemplateBody": json.dumps(body),
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
        }

    def create(self, resources, **outputs):
        self.client.create_stack(**self._body(resources, outputs))
        self.client.get_waiter("stack_create_complete").wait(StackName=self.name, WaiterConfig=WAIT)
        return self.outputs()

    def update(self, resources, **outputs):
        self.client.update_stack(**self._body(resources, outputs))
        self.client.get_waiter("stack_update_complete").wait(StackName=self.name, WaiterConfig=WAIT)
        return self.outputs()

    def outputs(self):
        stack = self.client.describe_stacks(StackName=self.name)["Stacks"][0]
        return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}

    def delete(self):
        self.client.delete_stack(StackName=self.name)
        self.client.get_waiter("stack_delete_complete").wait(StackName=self.name, WaiterConfig=WAIT)

    def reasons(self):
        events = self.client.describe_stack_events(StackName=self.name)["StackEvents"]
        return " ".join(event.get("ResourceStatusReason", "") for event in events)

    def drift(self):
        started = self.client.detect_stack_drift(StackName=self.name)["StackDriftDetectionId"]
        status = self.client.describe_stack_drift_detection_status
        while True:
            found = status(StackDriftDetectionId=started)
            if found["DetectionStatus"] != "DETECTION_IN_PROGRESS":
                return found["StackDriftStatus"]


@pytest.fixture
def stack(cloud, name):
    return Stack(cloud, name)


def role(**properties):
    given = {"AssumeRolePolicyDocument": value(trust({"Service": "lambda.amazonaws.com"}))}
    return {"Type": "AWS::IAM::Role", "Properties": {**given, **properties}}


def test_a_role_is_made_changed_and_removed_with_its_stack(iam, stack, refused):
    inline = {"PolicyName": "one", "PolicyDocument": value(document(allow("s3:GetObject")))}
    first = role(
        Path="/stack/",
        Description="first",
        ManagedPolicyArns=[BASIC],
        Policies=[inline],
        MaxSessionDuration="7200",
        Tags=[{"Key": "a", "Value": "b"}],
    )
    told = stack.create(
        {"Role": first},
        Name={"Ref": "Role"},
        Arn={"Fn::GetAtt": ["Role", "Arn"]},
        Id={"Fn::GetAtt": ["Role", "RoleId"]},
    )
    found = iam.get_role(RoleName=told["Name"])["Role"]
    assert (found["Arn"], found["RoleId"]) == (told["Arn"], told["Id"])
    assert (found["MaxSessionDuration"], found["Description"]) == (7200, "first")
    assert {"Key": "a", "Value": "b"} in found["Tags"]
    assert iam.list_role_policies(RoleName=told["Name"])["PolicyNames"] == ["one"]
    assert stack.drift() == "IN_SYNC"
    second = role(Path="/stack/", ManagedPolicyArns=[S3_READ], Description="second")
    again = stack.update({"Role": second}, Name={"Ref": "Role"})
    assert again["Name"] == told["Name"]
    attached = iam.list_attached_role_policies(RoleName=told["Name"])["AttachedPolicies"]
    assert [one["PolicyArn"] for one in attached] == [S3_READ]
    assert iam.list_role_policies(RoleName=told["Name"])["PolicyNames"] == []
    changed = iam.get_role(RoleName=told["Name"])["Role"]
    assert (changed["Description"], changed["MaxSessionDuration"]) == ("second", 3600)
    assert {"Key": "a", "Value": "b"} not in changed["Tags"]
    iam.update_role_description(RoleName=told["Name"], Description="by hand")
    assert stack.drift() == "DRIFTED"
    # Another path makes another role.
    third = stack.update({"Role": role(Path="/moved/")}, Name={"Ref": "Role"})
    assert third["Name"] != told["Name"]
    assert refused(iam.get_role, RoleName=told["Name"])[0] == "NoSuchEntity"
    stack.delete()
    assert refused(iam.get_role, RoleName=third["Name"])[0] == "NoSuchEntity"


def test_users_groups_keys_and_policies_of_a_stack_work(cloud, iam, stack, refused):
    may = value(document(allow("iam:ListUsers")))
    resources = {
        "Group": {"Type": "AWS::IAM::Group", "Properties": {"ManagedPolicyArns": [S3_READ]}},
        "User": {"Type": "AWS::IAM::User", "Properties": {"Groups": [{"Ref": "Group"}]}},
        "Other": {"Type": "AWS::IAM::User", "Properties": {"Path": "/other/"}},
        "Addition": {
            "Type": "AWS::IAM::UserToGroupAddition",
            "Properties": {"GroupName": {"Ref": "Group"}, "Users": [{"Ref": "Other"}]},
        },
        "Key": {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": {"Ref": "User"}}},
        "Policy": {
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "PolicyName": "listing",
                "PolicyDocument": may,
                "Groups": [{"Ref": "Group"}],
            },
        },
        "Own": {
            "Type": "AWS::IAM::UserPolicy",
            "Properties": {
                "PolicyName": "own",
                "UserName": {"Ref": "User"},
                "PolicyDocument": value(document(allow("iam:ListRoles"))),
            },
        },
    }
    outputs = {
        "User": {"Ref": "User"},
        "Group": {"Ref": "Group"},
        "Id": {"Ref": "Key"},
        "Secret": {"Fn::GetAtt": ["Key", "SecretAccessKey"]},
    }
    told = stack.create(resources, **outputs)
    key = (told["Id"], told["Secret"])
    mine = cloud.client("iam", key=key)
    mine.list_users()
    mine.list_roles()
    members = iam.get_group(GroupName=told["Group"])["Users"]
    assert len(members) == 2
    # The policy moves from the group to nobody but the other user; the key sleeps.
    resources["Policy"]["Properties"] |= {"Groups": [], "Users": [{"Ref": "Other"}]}
    resources["Key"]["Properties"]["Status"] = "Inactive"
    again = stack.update(resources, **outputs)
    assert (again["Id"], again["Secret"]) == key
    assert refused(mine.list_roles)[0] == "InvalidClientTokenId"
    assert iam.list_group_policies(GroupName=told["Group"])["PolicyNames"] == []
    stack.delete()
    assert refused(iam.get_user, UserName=told["User"])[0] == "NoSuchEntity"
    assert refused(iam.get_group, GroupName=told["Group"])[0] == "NoSuchEntity"


def test_managed_policies_of_a_stack_get_new_versions(iam, stack, refused):
    def resources(action):
        return {
            "Role": role(),
            "Policy": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {
                    "PolicyDocument": value(document(allow(action))),
                    "Roles": [{"Ref": "Role"}],
                },
            },
        }

    told = stack.create(resources("s3:GetObject"), Arn={"Ref": "Policy"})
    arn = told["Arn"]
    for number in range(2, 8):
        stack.update(resources(f"s3:Action{number}"), Arn={"Ref": "Policy"})
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    assert (policy["DefaultVersionId"], policy["AttachmentCount"]) == ("v7", 1)
    assert len(iam.list_policy_versions(PolicyArn=arn)["Versions"]) == 5
    stack.delete()
    assert refused(iam.get_policy, PolicyArn=arn)[0] == "NoSuchEntity"


def test_a_role_that_fails_half_way_leaves_nothing(iam, stack, name, refused):
    resources = {"Role": role(RoleName=f"{name}-r", ManagedPolicyArns=[S3_READ + "-missing"])}
    with pytest.raises(WaiterError):
        stack.create(resources)
    assert "does not exist or is not attachable" in stack.reasons()
    assert refused(iam.get_role, RoleName=f"{name}-r")[0] == "NoSuchEntity"


def test_a_property_that_is_not_there_fails_the_stack(stack):
    resources = {"User": {"Type": "AWS::IAM::User", "Properties": {"LoginProfile": {}}}}
    with pytest.raises(WaiterError):
        stack.create(resources)
    assert "LoginProfile" in stack.reasons()


def test_providers_of_a_stack(iam, stack, name, refused):
    def resources(*clients):
        return {
            "Provider": {
                "Type": "AWS::IAM::OIDCProvider",
                "Properties": {"Url": f"https://{name}.example", "ClientIdList": list(clients)},
            }
        }

    arn = stack.create(resources("a", "b"), Arn={"Ref": "Provider"})["Arn"]
    stack.update(resources("b", "c"), Arn={"Ref": "Provider"})
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert found["ClientIDList"] == ["b", "c"]
    stack.delete()
    assert refused(iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)[0] == (
        "NoSuchEntity"
    )


def test_parameters_of_a_stack(cloud, stack, name, refused):
    ssm = cloud.client("ssm")

    def resources(**properties):
        given = {"Name": f"/{name}/a", "Type": "String", **properties}
        return {"Parameter": {"Type": "AWS::SSM::Parameter", "Properties": given}}

    outputs = {"Name": {"Ref": "Parameter"}, "Value": {"Fn::GetAtt": ["Parameter", "Value"]}}
    first = resources(Value="1", Description="d", Tags={"a": "b"})
    assert stack.create(first, **outputs) == {"Name": f"/{name}/a", "Value": "1"}
    assert stack.drift() == "IN_SYNC"
    assert stack.update(resources(Value="2"), **outputs)["Value"] == "2"
    found = ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": [f"/{name}/a"]}])[
        "Parameters"
    ][0]
    assert found["Version"] == 2
    assert not found.get("Description")
    ssm.put_parameter(Name=f"/{name}/a", Value="by hand", Overwrite=True)
    assert stack.drift() == "DRIFTED"
    stack.delete()
    assert refused(ssm.get_parameter, Name=f"/{name}/a")[0] == "ParameterNotFound"
