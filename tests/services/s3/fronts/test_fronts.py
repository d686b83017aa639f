"""What browsers ask of buckets: preflights, forms and websites."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from tests.services.s3.raw import ask, send

FAR = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def public(s3, bucket):
    s3.delete_public_access_block(Bucket=bucket)
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    return bucket


def test_a_preflight_is_answered_by_the_rules_of_the_bucket(cloud, s3, bucket):
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
    asked = {
        "Origin": "https://a.example.com",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "x-amz-meta-a, content-type",
        "Host": cloud.endpoint.partition("://")[2],
    }
    refused = send(cloud, "OPTIONS", f"/{bucket}/k", b"", asked)
    assert (refused.status, refused.code) == (403, "AccessForbidden")
    rule = {
        "AllowedMethods": ["PUT", "GET"],
        "AllowedOrigins": ["https://*.example.com"],
        "AllowedHeaders": ["x-amz-*", "Content-Type"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 30,
    }
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    allowed = send(cloud, "OPTIONS", f"/{bucket}/k", b"", asked)
    headers = {name.lower(): value for name, value in allowed.headers.items()}
    assert allowed.status == 200
    assert headers["access-control-allow-origin"] == "https://a.example.com"
    assert headers["access-control-allow-methods"] == "PUT, GET"
    assert headers["access-control-max-age"] == "30"
    other = {**asked, "Access-Control-Request-Headers": "x-other"}
    assert send(cloud, "OPTIONS", f"/{bucket}/k", b"", other).status == 403
    answer = ask(cloud, "PUT", f"/{bucket}/k", b"1", origin="https://a.example.com")
    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert headers["access-control-allow-origin"] == "https://a.example.com"
    assert headers["access-control-expose-headers"] == "ETag"
    answer = ask(cloud, "PUT", f"/{bucket}/k", b"1", origin="https://other.test")
    assert "access-control-allow-origin" not in {name.lower() for name in answer.headers}


def form(fields, content, filename="a.txt"):
    mark = uuid.uuid4().hex
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
    parts.append(f"{head}Content-Type: text/plain\r\n\r\n".encode() + content)
    parts.append(f"\r\n--{mark}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={mark}"


def posted(cloud, bucket, fields, content, filename="a.txt"):
    body, kind = form(fields, content, filename)
    headers = {"Content-Type": kind, "Host": cloud.endpoint.partition("://")[2]}
    return send(cloud, "POST", f"/{bucket}", body, {**headers, "Content-Length": str(len(body))})


@pytest.mark.parametrize("size", [11, 300_000])
def test_a_signed_form_stores_its_file(cloud, s3, bucket, size):
    # https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html
    signed = s3.generate_presigned_post(
        bucket,
        "up/${filename}",
        Fields={"x-amz-meta-who": "me", "success_action_status": "201"},
        Conditions=[
            ["starts-with", "$key", "up/"],
            {"x-amz-meta-who": "me"},
            {"success_action_status": "201"},
            ["content-length-range", 0, 1_000_000],
        ],
    )
    content = b"\r\n--no" * (size // 6) + b"x" * (size % 6)
    answer = posted(cloud, bucket, signed["fields"], content, "ä.txt")
    assert (answer.status, answer.field("Key")) == (201, "up/ä.txt")
    found = s3.get_object(Bucket=bucket, Key="up/ä.txt")
    assert found["Body"].read() == content
    assert found["Metadata"] == {"who": "me"}


def test_a_form_that_its_policy_does_not_allow_is_refused(cloud, s3, bucket):
    signer = cloud.client("s3", signature_version="s3v4")
    signed = signer.generate_presigned_post(
        bucket, "only", Conditions=[["content-length-range", 2, 4]]
    )["fields"]
    for change, content, code in (
        ({"key": "another"}, b"abc", "AccessDenied"),
        ({"x-amz-meta-a": "b"}, b"abc", "AccessDenied"),
        ({"x-amz-signature": "0" * 64}, b"abc", "SignatureDoesNotMatch"),
        ({}, b"abcde", "EntityTooLarge"),
        ({}, b"a", "EntityTooSmall"),
        ({"policy": ""}, b"abc", "InvalidArgument"),
    ):
        answer = posted(cloud, bucket, {**signed, **change}, content)
        assert (answer.code, answer.status // 100) == (code, 4)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    assert posted(cloud, bucket, signed, b"abc").status == 204


def test_a_form_without_a_policy_is_anybodys(cloud, s3, bucket):
    assert posted(cloud, bucket, {"key": "k"}, b"abc").code == "AccessDenied"


def site(cloud, bucket, path, by_host=True, method="GET"):
    port = cloud.endpoint.rpartition(":")[2]
    if by_host:
        host = f"{bucket}.s3-website-us-east-1.localhost:{port}"
        return send(cloud, method, path, b"", {"Host": host})
    host = cloud.endpoint.partition("://")[2]
    return send(cloud, method, f"/_s3-website/{bucket}{path}", b"", {"Host": host})


@pytest.mark.parametrize("by_host", [True, False])
def test_a_website_has_an_index_an_error_page_and_folders(cloud, s3, public, by_host):
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/IndexDocumentSupport.html
    missing = site(cloud, public, "/", by_host)
    assert (missing.status, b"NoSuchWebsiteConfiguration" in missing.body) == (404, True)
    s3.put_bucket_website(
        Bucket=public,
        WebsiteConfiguration={
            "IndexDocument": {"Suffix": "index.html"},
            "ErrorDocument": {"Key": "error.html"},
        },
    )
    for key, text in (("index.html", b"home"), ("docs/index.html", b"docs"), ("a b", b"ab")):
        s3.put_object(Bucket=public, Key=key, Body=text, ContentType="text/html")
    home = site(cloud, public, "/", by_host)
    assert (home.status, home.body) == (200, b"home")
    assert site(cloud, public, "/docs/", by_host).body == b"docs"
    assert site(cloud, public, "/a%20b", by_host).body == b"ab"
    moved = site(cloud, public, "/docs", by_host)
    location = {name.lower(): value for name, value in moved.headers.items()}["location"]
    assert (moved.status, location.endswith("/docs/")) == (302, True)
    assert b"NoSuchKey" in site(cloud, public, "/none", by_host).body
    s3.put_object(Bucket=public, Key="error.html", Body=b"sorry")
    lost = site(cloud, public, "/none", by_host)
    assert (lost.status, lost.body) == (404, b"sorry")
    head = site(cloud, public, "/", by_host, "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert site(cloud, public, "/", by_host, "PUT").status == 405


def test_a_website_redirects_by_rule_and_by_object(cloud, s3, public):
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html
    rules = [
        {
            "Condition": {"KeyPrefixEquals": "old/"},
            "Redirect": {"ReplaceKeyPrefixWith": "new/", "HttpRedirectCode": "302"},
        },
        {
            "Condition": {"HttpErrorCodeReturnedEquals": "404"},
            "Redirect": {"HostName": "lost.example.com", "Protocol": "https"},
        },
    ]
    website = {"IndexDocument": {"Suffix": "index.html"}, "RoutingRules": rules}
    s3.put_bucket_website(Bucket=public, WebsiteConfiguration=website)
    s3.put_object(Bucket=public, Key="go", Body=b"", WebsiteRedirectLocation="/there")

    def location(path):
        answer = site(cloud, public, path)
        return answer.status, {n.lower(): v for n, v in answer.headers.items()}["location"]

    status, where = location("/old/a")
    assert (status, where.endswith("/new/a")) == (302, True)
    assert location("/none") == (301, "https://lost.example.com/none")
    assert location("/go") == (301, "/there")
    everything = {"RedirectAllRequestsTo": {"HostName": "example.com"}}
    s3.put_bucket_website(Bucket=public, WebsiteConfiguration=everything)
    assert location("/x") == (301, "http://example.com/x")


def test_a_website_is_shut_to_who_may_not_read(cloud, s3, bucket):
    website = {"IndexDocument": {"Suffix": "index.html"}}
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=website)
    s3.put_object(Bucket=bucket, Key="index.html", Body=b"mine")
    answer = site(cloud, bucket, "/")
    assert (answer.status, b"AccessDenied" in answer.body) == (403, True)
