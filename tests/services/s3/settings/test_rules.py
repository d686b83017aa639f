"""CORS rules, websites, lifecycles, logs and metrics, as configurations.

What they do is in `fronts` and `inside`.
"""

import uuid

import pytest
from botocore.exceptions import ClientError


def code_of(call, **members):
    with pytest.raises(ClientError) as caught:
        call(**members)
    return caught.value.response["Error"]["Code"]


def test_cors_rules_are_put_read_and_deleted(s3, bucket):
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://*.example.com"]}
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == [rule]
    for wrong in ({**rule, "AllowedMethods": ["PATCH"]}, {**rule, "AllowedOrigins": ["*.*"]}):
        rules = {"CORSRules": [wrong]}
        refused = code_of(s3.put_bucket_cors, Bucket=bucket, CORSConfiguration=rules)
        assert refused == "InvalidRequest"
    s3.delete_bucket_cors(Bucket=bucket)
    assert code_of(s3.get_bucket_cors, Bucket=bucket) == "NoSuchCORSConfiguration"


def test_a_website_is_put_read_and_deleted(s3, bucket):
    website = {"IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "e.html"}}
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=website)
    found = s3.get_bucket_website(Bucket=bucket)
    assert {name: found[name] for name in website} == website
    s3.delete_bucket_website(Bucket=bucket)
    assert code_of(s3.get_bucket_website, Bucket=bucket) == "NoSuchWebsiteConfiguration"


def test_a_lifecycle_is_put_read_and_deleted(s3, bucket):
    rule = {"ID": "one", "Status": "Enabled", "Filter": {"Prefix": "a/"}}
    rule["Expiration"] = {"Days": 3}
    lifecycle = {"Rules": [rule]}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=lifecycle)
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == [rule]
    expiration = s3.put_object(Bucket=bucket, Key="a/b", Body=b"")["Expiration"]
    assert 'rule-id="one"' in expiration
    s3.delete_bucket_lifecycle(Bucket=bucket)
    missing = code_of(s3.get_bucket_lifecycle_configuration, Bucket=bucket)
    assert missing == "NoSuchLifecycleConfiguration"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Expiration": {"Days": 0}}, "InvalidArgument"),
        ({"Status": "enabled"}, "MalformedXML"),
        ({"Expiration": {}}, "InvalidRequest"),
        ({"ID": "x" * 256}, "InvalidArgument"),
        ({"Transitions": [{"Days": 30, "StorageClass": "GLACIER"}]}, "NotImplemented"),
        ({"Transitions": [{"Days": 3, "StorageClass": "STANDARD_IA"}]}, "InvalidArgument"),
    ],
)
def test_rules_that_s3_would_not_take_are_refused(s3, bucket, change, code):
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
    rule = {"ID": "one", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}, **change}
    lifecycle = {"Rules": [rule]}
    refused = code_of(
        s3.put_bucket_lifecycle_configuration, Bucket=bucket, LifecycleConfiguration=lifecycle
    )
    assert refused == code


def test_logs_go_to_a_bucket_of_ones_own(s3, bucket):
    enabled = {"TargetBucket": bucket, "TargetPrefix": "logs/"}
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": enabled})
    assert s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"] == enabled
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
    missing = {"LoggingEnabled": {**enabled, "TargetBucket": f"none-{uuid.uuid4()}"}}
    refused = code_of(s3.put_bucket_logging, Bucket=bucket, BucketLoggingStatus=missing)
    assert refused == "InvalidTargetBucketForLogging"


def test_metrics_are_asked_for_by_id(s3, bucket):
    asked = {"Bucket": bucket, "Id": "all"}
    s3.put_bucket_metrics_configuration(**asked, MetricsConfiguration={"Id": "all"})
    assert s3.get_bucket_metrics_configuration(**asked)["MetricsConfiguration"]["Id"] == "all"
    listed = s3.list_bucket_metrics_configurations(Bucket=bucket)
    assert [one["Id"] for one in listed["MetricsConfigurationList"]] == ["all"]
    s3.delete_bucket_metrics_configuration(**asked)
    assert code_of(s3.get_bucket_metrics_configuration, **asked) == "NoSuchConfiguration"
