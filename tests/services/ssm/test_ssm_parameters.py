"""Parameters.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
"""

import itertools
import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

_numbers = itertools.count(1)


@pytest.fixture
def ssm(cloud):
    return cloud.client("ssm")


@pytest.fixture
def root(request):
    """A path that no other test uses."""
    words = request.node.name.split("[")[0].replace("test_", "").replace("_", "-")
    return f"/{words}/{next(_numbers)}"


def refused(call, **request):
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_value_is_written_and_read(ssm, root):
    name = f"{root}/one"
    assert ssm.put_parameter(Name=name, Value="v", Type="String")["Version"] == 1
    found = ssm.get_parameter(Name=name)["Parameter"]
    assert (found["Name"], found["Value"], found["Type"]) == (name, "v", "String")
    assert (found["Version"], found["DataType"]) == (1, "text")
    assert found["ARN"].endswith(f":parameter{name}")
    by_arn = ssm.get_parameter(Name=found["ARN"])["Parameter"]
    assert by_arn["Value"] == "v"
    ssm.delete_parameter(Name=name)
    assert refused(ssm.get_parameter, Name=name)[0] == "ParameterNotFound"
    assert refused(ssm.delete_parameter, Name=name)[0] == "ParameterNotFound"


def test_a_value_is_replaced_only_when_asked(ssm, root):
    name = f"{root}/one"
    ssm.put_parameter(Name=name, Value="1", Type="String", Description="d")
    assert refused(ssm.put_parameter, Name=name, Value="2", Type="String") == (
        "ParameterAlreadyExists",
        "The parameter already exists. To overwrite this value, set the overwrite option in the "
        "request to true.",
    )
    assert ssm.put_parameter(Name=name, Value="2", Overwrite=True)["Version"] == 2
    history = ssm.get_parameter_history(Name=name)["Parameters"]
    assert [(one["Version"], one["Value"], one["Description"]) for one in history] == [
        (1, "1", "d"),
        (2, "2", "d"),
    ]
    assert ssm.get_parameter(Name=f"{name}:1")["Parameter"]["Value"] == "1"
    assert ssm.get_parameter(Name=f"{name}:1")["Parameter"]["Selector"] == ":1"
    assert refused(ssm.get_parameter, Name=f"{name}:9")[0] == "ParameterVersionNotFound"


def test_secrets_are_sealed_until_they_are_asked_for(new_cloud):
    cloud = new_cloud()
    ssm = cloud.client("ssm")
    secret = "correct horse battery staple"
    ssm.put_parameter(Name="/secret", Value=secret, Type="SecureString")
    sealed = ssm.get_parameter(Name="/secret")["Parameter"]["Value"]
    assert secret not in sealed
    opened = ssm.get_parameter(Name="/secret", WithDecryption=True)["Parameter"]
    assert opened["Value"] == secret
    only = [{"Key": "Name", "Values": ["/secret"]}]
    described = ssm.describe_parameters(ParameterFilters=only)["Parameters"]
    assert [one["KeyId"] for one in described] == ["alias/aws/ssm"]
    cloud.stop()
    for path in Path(cloud.data).rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"Name": "ssm-x", "Value": "v", "Type": "String"}, 'can\'t be prefixed with "ssm"'),
        ({"Name": "/aws/x", "Value": "v", "Type": "String"}, 'can\'t be prefixed with "aws"'),
        ({"Name": "a/b", "Value": "v", "Type": "String"}, "must be a fully qualified name"),
        ({"Name": "/a b", "Value": "v", "Type": "String"}, "each sub-path can be formed"),
        ({"Name": "/x-1", "Value": "v"}, "A parameter type is required"),
        ({"Name": "/x-2", "Value": "", "Type": "String"}, "greater than or equal to 1"),
        ({"Name": "/x-3", "Value": "v" * 4097, "Type": "String"}, "4096 characters"),
        (
            {"Name": "/x-4", "Value": "v" * 8193, "Type": "String", "Tier": "Advanced"},
            "8192 characters",
        ),
        (
            {"Name": "/x-5", "Value": "v", "Type": "String", "KeyId": "alias/aws/ssm"},
            "KeyId is required for SecureString type parameter only.",
        ),
        (
            {"Name": "/x-6", "Value": "v", "Type": "String", "DataType": "aws:ec2:image"},
            "data type is not supported",
        ),
        (
            {
                "Name": "/x-7",
                "Value": "v",
                "Type": "String",
                "Overwrite": True,
                "Tags": [{"Key": "a", "Value": "b"}],
            },
            "tags and overwrite can't be used together",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(ssm, request_, message):
    code, told = refused(ssm.put_parameter, **request_)
    assert code == "ValidationException"
    assert message in told


def test_what_is_not_there_is_refused(ssm, root):
    put = {"Name": f"{root}/x", "Value": "v"}
    code, _ = refused(ssm.put_parameter, Type="SecureString", KeyId="alias/mine", **put)
    assert code == "InvalidKeyId"
    policies = json.dumps([{"Type": "Expiration", "Version": "1.0"}])
    code, _ = refused(ssm.put_parameter, Type="String", Policies=policies, **put)
    assert code == "InvalidPolicyTypeException"
    levels = "/a" * 16
    code, _ = refused(ssm.put_parameter, Name=levels, Value="v", Type="String")
    assert code == "HierarchyLevelLimitExceededException"


def test_tiers(ssm, root):
    large = {"Value": "v" * 5000, "Type": "String"}
    made = ssm.put_parameter(Name=f"{root}/a", Tier="Intelligent-Tiering", **large)
    assert made["Tier"] == "Advanced"
    small = {"Value": "v", "Overwrite": True}
    assert ssm.put_parameter(Name=f"{root}/a", **small)["Tier"] == "Advanced"
    code, message = refused(ssm.put_parameter, Name=f"{root}/a", Tier="Standard", **small)
    assert code == "ValidationException"
    assert "can't downgrade" in message


def test_patterns_must_be_matched(ssm, root):
    put = {"Name": f"{root}/a", "Type": "String", "AllowedPattern": "^\\d+$"}
    assert refused(ssm.put_parameter, Value="ten", **put) == (
        "ParameterPatternMismatchException",
        "Parameter value, cannot be validated against allowedPattern: ^\\d+$",
    )
    ssm.put_parameter(Value="10", **put)
    # The pattern stays with the parameter.
    code, _ = refused(ssm.put_parameter, Name=f"{root}/a", Value="x", Overwrite=True)
    assert code == "ParameterPatternMismatchException"
    put = {"Name": f"{root}/b", "Type": "String"}
    code, _ = refused(ssm.put_parameter, Value="x", AllowedPattern="(", **put)
    assert code == "InvalidAllowedPatternException"


def test_a_pattern_without_end_holds_nobody_up(cloud, ssm, root):
    code, _ = refused(
        ssm.put_parameter,
        Name=f"{root}/a",
        Type="String",
        Value="a" * 60 + "b",
        AllowedPattern="^(a+)+$",
    )
    assert code == "InvalidAllowedPatternException"
    assert cloud.get("/_cumulet/health")[0] == 200


def test_several_values_at_once(ssm, root):
    for name in ("b", "a"):
        ssm.put_parameter(Name=f"{root}/{name}", Value=name, Type="String")
    found = ssm.get_parameters(Names=[f"{root}/b", f"{root}/c", f"{root}/a:1", f"{root}/a:7"])
    assert [one["Value"] for one in found["Parameters"]] == ["a", "b"]
    assert found["InvalidParameters"] == [f"{root}/c", f"{root}/a:7"]
    gone = ssm.delete_parameters(Names=[f"{root}/a", f"{root}/c"])
    assert gone["DeletedParameters"] == [f"{root}/a"]
    assert gone["InvalidParameters"] == [f"{root}/c"]


def test_paths(ssm, root):
    for name in ("a", "b", "deep/c", "deep/er/d"):
        ssm.put_parameter(Name=f"{root}/{name}", Value=name, Type="String")
    ssm.put_parameter(Name=f"{root}-beside", Value="x", Type="String")

    def values(**request):
        pages = ssm.get_paginator("get_parameters_by_path").paginate(**request)
        return [one["Value"] for page in pages for one in page["Parameters"]]

    assert values(Path=root) == ["a", "b"]
    assert values(Path=f"{root}/", Recursive=True) == ["a", "b", "deep/c", "deep/er/d"]
    assert values(Path=root, Recursive=True, MaxResults=3) == ["a", "b", "deep/c", "deep/er/d"]
    assert values(Path=f"{root}/deep") == ["deep/c"]
    only = [{"Key": "Type", "Values": ["StringList"]}]
    assert values(Path=root, ParameterFilters=only) == []
    code, message = refused(ssm.get_parameters_by_path, Path="no-slash")
    assert code == "ValidationException"
    assert message.startswith("The parameter doesn't meet the parameter name requirements.")
    by_name = [{"Key": "Name", "Values": ["x"]}]
    code, _ = refused(ssm.get_parameters_by_path, Path=root, ParameterFilters=by_name)
    assert code == "InvalidFilterKey"
    assert refused(ssm.get_parameters_by_path, Path=root, NextToken="x")[0] == "InvalidNextToken"


def test_a_name_at_the_top_is_the_same_with_a_slash(ssm):
    ssm.put_parameter(Name="at-the-top", Value="v", Type="String")
    assert ssm.get_parameter(Name="/at-the-top")["Parameter"]["Name"] == "at-the-top"
    code, _ = refused(ssm.put_parameter, Name="/at-the-top", Value="w", Type="String")
    assert code == "ParameterAlreadyExists"
    under = ssm.get_parameters_by_path(Path="/")["Parameters"]
    assert "at-the-top" in [one["Name"] for one in under]
    ssm.delete_parameter(Name="at-the-top")


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ([{"Key": "Name", "Option": "BeginsWith", "Values": ["{root}/l"]}], ["list", "low/er"]),
        ([{"Key": "Name", "Option": "Contains", "Values": ["{root}/se"]}], ["secret"]),
        ([{"Key": "Name", "Values": ["{root}/plain"]}], ["plain"]),
        ([{"Key": "Path", "Values": ["{root}"]}], ["list", "plain", "secret"]),
        (
            [{"Key": "Path", "Option": "Recursive", "Values": ["{root}"]}],
            ["list", "low/er", "plain", "secret"],
        ),
        (
            [
                {"Key": "Path", "Values": ["{root}"]},
                {"Key": "Type", "Values": ["SecureString", "StringList"]},
            ],
            ["list", "secret"],
        ),
        (
            [{"Key": "Path", "Values": ["{root}"]}, {"Key": "tag:team", "Values": ["blue"]}],
            ["plain"],
        ),
        ([{"Key": "Path", "Values": ["{root}"]}, {"Key": "tag:team"}], ["plain"]),
    ],
)
def test_descriptions_are_filtered(ssm, root, filters, names):
    for name, kind in (("secret", "SecureString"), ("list", "StringList"), ("low/er", "String")):
        ssm.put_parameter(Name=f"{root}/{name}", Value="a,b", Type=kind)
    tags = [{"Key": "team", "Value": "blue"}]
    ssm.put_parameter(Name=f"{root}/plain", Value="v", Type="String", Tags=tags)
    for one in filters:
        if "Values" in one:
            one["Values"] = [value.replace("{root}", root) for value in one["Values"]]
    pages = ssm.get_paginator("describe_parameters").paginate(
        ParameterFilters=filters, PaginationConfig={"PageSize": 2}
    )
    found = [one for page in pages for one in page["Parameters"]]
    assert [one["Name"].removeprefix(f"{root}/") for one in found] == names
    assert all("Value" not in one for one in found)


def test_labels_are_on_one_version_each(ssm, root):
    name = f"{root}/a"
    ssm.put_parameter(Name=name, Value="1", Type="String")
    ssm.put_parameter(Name=name, Value="2", Overwrite=True)
    label = ssm.label_parameter_version
    answer = label(Name=name, ParameterVersion=1, Labels=["live", "1st", "aws-x"])
    assert answer["InvalidLabels"] == ["1st", "aws-x"]
    assert ssm.get_parameter(Name=f"{name}:live")["Parameter"]["Value"] == "1"
    assert label(Name=name, Labels=["live"])["ParameterVersion"] == 2
    assert ssm.get_parameter(Name=f"{name}:live")["Parameter"]["Value"] == "2"
    history = ssm.get_parameter_history(Name=name)["Parameters"]
    assert [one["Labels"] for one in history] == [[], ["live"]]
    gone = ssm.unlabel_parameter_version(Name=name, ParameterVersion=2, Labels=["live", "none"])
    assert (gone["RemovedLabels"], gone["InvalidLabels"]) == (["live"], ["none"])
    assert refused(ssm.get_parameter, Name=f"{name}:live")[0] == "ParameterVersionNotFound"
    many = [f"label-{number}" for number in range(10)]
    label(Name=name, Labels=many)
    assert refused(label, Name=name, Labels=["more"])[0] == "ParameterVersionLabelLimitExceeded"
    code, _ = refused(label, Name=name, ParameterVersion=9, Labels=["x"])
    assert code == "ParameterVersionNotFound"


def test_a_hundred_versions_are_kept_and_labelled_ones_stay(ssm, root):
    name = f"{root}/a"
    ssm.put_parameter(Name=name, Value="1", Type="String")
    ssm.label_parameter_version(Name=name, ParameterVersion=1, Labels=["keep"])
    for number in range(2, 101):
        ssm.put_parameter(Name=name, Value=str(number), Overwrite=True)
    code, message = refused(ssm.put_parameter, Name=name, Value="101", Overwrite=True)
    assert code == "ParameterMaxVersionLimitExceeded"
    assert "Version 1, the oldest version" in message
    ssm.unlabel_parameter_version(Name=name, ParameterVersion=1, Labels=["keep"])
    assert ssm.put_parameter(Name=name, Value="101", Overwrite=True)["Version"] == 101
    assert refused(ssm.get_parameter, Name=f"{name}:1")[0] == "ParameterVersionNotFound"
    pages = ssm.get_paginator("get_parameter_history").paginate(Name=name)
    versions = [one["Version"] for page in pages for one in page["Parameters"]]
    assert versions == list(range(2, 102))


def test_tags(ssm, root):
    name = f"{root}/a"
    ssm.put_parameter(Name=name, Value="1", Type="String", Tags=[{"Key": "a", "Value": "1"}])
    who = {"ResourceType": "Parameter", "ResourceId": name}
    ssm.add_tags_to_resource(Tags=[{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "3"}], **who)
    ssm.remove_tags_from_resource(TagKeys=["b", "none"], **who)
    assert ssm.list_tags_for_resource(**who)["TagList"] == [{"Key": "a", "Value": "3"}]
    who["ResourceId"] = f"{root}/none"
    assert refused(ssm.list_tags_for_resource, **who)[0] == "InvalidResourceId"
    who["ResourceType"] = "Document"
    assert refused(ssm.list_tags_for_resource, **who)[0] == "InvalidResourceType"


def test_permissions_are_asked_by_name_path_and_tag(cloud, root):
    iam, ssm = cloud.client("iam"), cloud.client("ssm")
    user = root.strip("/").replace("/", "-")[:60]
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    mine = cloud.client("ssm", key=(key["AccessKeyId"], key["SecretAccessKey"]))
    statements = [
        {
            "Effect": "Allow",
            "Action": ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"],
            "Resource": [f"arn:aws:ssm:*:*:parameter{root}/open*"],
        },
        {
            "Effect": "Allow",
            "Action": "ssm:GetParameter",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:ResourceTag/team": "blue"}},
        },
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document)
    for name in ("open/a", "shut/a"):
        ssm.put_parameter(Name=f"{root}/{name}", Value="v", Type="String")
    blue = [{"Key": "team", "Value": "blue"}]
    ssm.put_parameter(Name=f"{root}/blue", Value="v", Type="String", Tags=blue)
    mine.get_parameter(Name=f"{root}/open/a")
    mine.get_parameter(Name=f"{root}/blue")
    mine.get_parameters_by_path(Path=f"{root}/open")
    for call, request in (
        (mine.get_parameter, {"Name": f"{root}/shut/a"}),
        (mine.get_parameters, {"Names": [f"{root}/open/a", f"{root}/shut/a"]}),
        (mine.get_parameters_by_path, {"Path": root}),
        (mine.put_parameter, {"Name": f"{root}/open/a", "Value": "x", "Overwrite": True}),
        (mine.delete_parameters, {"Names": [f"{root}/open/a"]}),
        (mine.describe_parameters, {}),
    ):
        code, message = refused(call, **request)
        assert code == "AccessDeniedException"
        assert "is not authorized to perform: ssm:" in message


def test_parameters_are_there_after_a_kill(new_cloud):
    cloud = new_cloud()
    cloud.client("ssm").put_parameter(Name="/kept", Value="v", Type="SecureString")
    cloud.kill()
    cloud.start()
    found = cloud.client("ssm").get_parameter(Name="/kept", WithDecryption=True)
    assert found["Parameter"]["Value"] == "v"
