"""AWS::S3::Bucket and AWS::S3::BucketPolicy in stacks.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
"""

import json
import urllib.error
import urllib.request
import uuid
from contextlib import suppress

import pytest
from botocore.exceptions import ClientError, WaiterError
from tests.services.cloudformation.waiting import reasons, wait


@pytest.fixture
def cf(cloud):
    return cloud.client("cloudformation")


@pytest.fixture
def stack(cf):
    name = f"s3-{uuid.uuid4()}"
    yield name
    with suppress(ClientError, WaiterError):
        delete(cf, name)


def template(**resources):
    return json.dumps({"Resources": resources})


def bucket_of(**properties):
    return {"Type": "AWS::S3::Bucket", "Properties": properties}


def policy_of(name, action="s3:GetObject"):
    return {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {
            "Bucket": {"Ref": "Bucket"},
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": action,
                        "Resource": {"Fn::Sub": "${Bucket.Arn}/*"},
                        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                    }
                ],
            },
        },
    }


def create(cf, stack, body):
    cf.create_stack(StackName=stack, TemplateBody=body)
    wait(cf, "stack_create_complete", stack)


def update(cf, stack, body):
    cf.update_stack(StackName=stack, TemplateBody=body)
    wait(cf, "stack_update_complete", stack)


def delete(cf, stack):
    cf.delete_stack(StackName=stack)
    waiter = cf.get_waiter("stack_delete_complete")
    waiter.wait(StackName=stack, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})


def physical(cf, stack, logical="Bucket"):
    found = cf.describe_stack_resource(StackName=stack, LogicalResourceId=logical)
    return found["StackResourceDetail"]["PhysicalResourceId"]


def test_a_bucket_with_all_it_may_say_is_made_changed_and_deleted(cf, s3, stack):
    everything = {
        "AccessControl": "Private",
        "Tags": [{"Key": "team", "Value": "a"}],
        "VersioningConfiguration": {"Status": "Enabled"},
        "PublicAccessBlockConfiguration": {"BlockPublicAcls": "true"},
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
            ]
        },
    }
    create(cf, stack, template(Bucket=bucket_of(**everything), Policy=policy_of("Bucket")))
    name = physical(cf, stack)
    assert name.startswith(stack[:10])
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == everything["Tags"]
    block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert (block["BlockPublicAcls"], block["BlockPublicPolicy"]) == (True, False)
    policy = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])
    assert policy["Statement"][0]["Resource"] == f"arn:aws:s3:::{name}/*"

    update(cf, stack, template(Bucket=bucket_of(), Policy=policy_of("Bucket", "s3:PutObject")))
    assert physical(cf, stack) == name
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Suspended"
    with pytest.raises(ClientError, match="NoSuchTagSet"):
        s3.get_bucket_tagging(Bucket=name)
    block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert block["BlockPublicPolicy"] is True
    policy = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])
    assert policy["Statement"][0]["Action"] == "s3:PutObject"

    update(cf, stack, template(Bucket=bucket_of()))
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket=name)
    delete(cf, stack)
    with pytest.raises(ClientError, match="404"):
        s3.head_bucket(Bucket=name)


def test_a_new_name_is_a_new_bucket(cf, s3, stack):
    names = [f"test-{uuid.uuid4()}" for _ in range(2)]
    create(cf, stack, template(Bucket=bucket_of(BucketName=names[0])))
    update(cf, stack, template(Bucket=bucket_of(BucketName=names[1])))
    s3.head_bucket(Bucket=names[1])
    with pytest.raises(ClientError, match="404"):
        s3.head_bucket(Bucket=names[0])


def test_a_bucket_that_holds_something_is_not_deleted(cf, s3, stack):
    create(cf, stack, template(Bucket=bucket_of()))
    name = physical(cf, stack)
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    with pytest.raises(WaiterError):
        delete(cf, stack)
    assert "The bucket you tried to delete is not empty" in " ".join(reasons(cf, stack))
    s3.delete_object(Bucket=name, Key="k")
    delete(cf, stack)


def test_a_bucket_that_exists_is_not_taken_over(cf, s3, bucket, stack):
    cf.create_stack(StackName=stack, TemplateBody=template(Bucket=bucket_of(BucketName=bucket)))
    with pytest.raises(WaiterError):
        wait(cf, "stack_create_complete", stack)
    assert f"{bucket} already exists" in " ".join(reasons(cf, stack))
    s3.head_bucket(Bucket=bucket)


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"ReplicationConfiguration": {"Rules": []}}, "ReplicationConfiguration"),
        ({"LifecycleConfiguration": {"Rules": []}}, "well-formed"),
        ({"AccessControl": "PublicRead"}, "ACLs"),
        ({"VersioningConfiguration": {"Status": "Perhaps"}}, "well-formed"),
    ],
)
def test_what_is_not_honoured_fails_the_stack_and_leaves_nothing(cf, s3, stack, properties, words):
    name = f"test-{uuid.uuid4()}"
    body = template(Bucket=bucket_of(BucketName=name, **properties))
    cf.create_stack(StackName=stack, TemplateBody=body)
    with pytest.raises(WaiterError):
        wait(cf, "stack_create_complete", stack)
    assert words in " ".join(reasons(cf, stack))
    with pytest.raises(ClientError, match="404"):
        s3.head_bucket(Bucket=name)


def test_drift_is_seen(cf, s3, stack):
    versioned = bucket_of(VersioningConfiguration={"Status": "Enabled"})
    create(cf, stack, template(Bucket=versioned, Policy=policy_of("Bucket")))

    def drifted():
        drift = cf.detect_stack_resource_drift(StackName=stack, LogicalResourceId="Bucket")
        found = drift["StackResourceDrift"]
        return found["StackResourceDriftStatus"], [
            difference["PropertyPath"] for difference in found["PropertyDifferences"]
        ]

    assert drifted() == ("IN_SYNC", [])
    suspended = {"Status": "Suspended"}
    s3.put_bucket_versioning(Bucket=physical(cf, stack), VersioningConfiguration=suspended)
    assert drifted() == ("MODIFIED", ["/VersioningConfiguration/Status"])


def test_a_bucket_has_the_settings_of_its_template_until_they_are_taken_out(cf, s3, stack):
    name = f"test-{uuid.uuid4()}"
    rule = {"Id": "r", "Status": "Enabled", "Prefix": "a/", "ExpirationInDays": 2}
    settings = {
        "CorsConfiguration": {
            "CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "MaxAge": 5}]
        },
        "WebsiteConfiguration": {"IndexDocument": "i.html", "ErrorDocument": "e.html"},
        "LifecycleConfiguration": {"Rules": [rule]},
        "LoggingConfiguration": {"DestinationBucketName": name, "LogFilePrefix": "l/"},
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]},
        "ObjectLockEnabled": True,
        "ObjectLockConfiguration": {
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}},
        },
    }
    kept = {name: settings[name] for name in ("OwnershipControls", "ObjectLockEnabled")}
    create(cf, stack, template(Bucket=bucket_of(BucketName=name, **settings)))
    assert s3.get_bucket_cors(Bucket=name)["CORSRules"][0]["MaxAgeSeconds"] == 5
    assert s3.get_bucket_website(Bucket=name)["IndexDocument"] == {"Suffix": "i.html"}
    rules = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert (rules[0]["Filter"], rules[0]["Expiration"]) == ({"Prefix": "a/"}, {"Days": 2})
    assert s3.get_bucket_logging(Bucket=name)["LoggingEnabled"]["TargetPrefix"] == "l/"
    lock = s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]
    assert lock["Rule"]["DefaultRetention"] == {"Mode": "GOVERNANCE", "Days": 1}
    drift = cf.detect_stack_resource_drift(StackName=stack, LogicalResourceId="Bucket")
    assert drift["StackResourceDrift"]["StackResourceDriftStatus"] == "IN_SYNC"
    s3.delete_bucket_cors(Bucket=name)
    drift = cf.detect_stack_resource_drift(StackName=stack, LogicalResourceId="Bucket")
    assert drift["StackResourceDrift"]["StackResourceDriftStatus"] == "MODIFIED"
    cf.update_stack(
        StackName=stack, TemplateBody=template(Bucket=bucket_of(BucketName=name, **kept))
    )
    wait(cf, "stack_update_complete", stack)
    for read in (s3.get_bucket_cors, s3.get_bucket_website):
        with pytest.raises(ClientError, match="NoSuch"):
            read(Bucket=name)
    lock = s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]
    assert "Rule" not in lock


def test_the_address_of_a_website_is_where_this_cloud_answers_it(cloud, cf, s3, stack):
    bucket = bucket_of(WebsiteConfiguration={"IndexDocument": "index.html"})
    document = json.loads(template(Bucket=bucket))
    document["Outputs"] = {"Page": {"Value": {"Fn::GetAtt": ["Bucket", "WebsiteURL"]}}}
    create(cf, stack, json.dumps(document))
    [made] = cf.describe_stacks(StackName=stack)["Stacks"]
    [page] = [one["OutputValue"] for one in made["Outputs"]]
    name, port = physical(cf, stack), cloud.endpoint.rpartition(":")[2]
    assert page == f"http://{name}.s3-website-us-east-1.localhost:{port}"
    # Nothing resolves such a name here but browsers: the request brings it along.
    request = urllib.request.Request(f"{cloud.endpoint}/", headers={"Host": page[len("http://") :]})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    with refused.value as answer:
        assert (answer.code, b"AccessDenied" in answer.read()) == (403, True)
