"""Import jobs: the file's address, AWS's rules for rows, the log, and what users must do.

https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-using-import-tool.html
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from tests.services.cognito.client import PASSWORD, Pool, make_pool, name, refusal

SECONDS_MAX = 60
LOGS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": "arn:aws:logs:us-east-1:000000000000:log-group:/aws/cognito/*",
        }
    ],
}


def role(cloud: Any, service: str = "cognito-idp.amazonaws.com") -> str:
    """A role that may write the log of imports."""
    iam, called = cloud.client("iam"), name("import")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    made = iam.create_role(RoleName=called, AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName=called, PolicyName="logs", PolicyDocument=json.dumps(LOGS))
    arn: str = made["Role"]["Arn"]
    return arn


def put(url: str, content: bytes) -> int:
    headers = {"x-amz-server-side-encryption": "aws:kms"}
    request = urllib.request.Request(url, content, headers, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.fixture(scope="module")
def writer(cloud: Any) -> str:
    return role(cloud)


@pytest.fixture(scope="module")
def target(cloud: Any) -> Iterator[Pool]:
    made = make_pool(
        cloud,
        AutoVerifiedAttributes=["email"],
        Schema=[
            {"Name": "size", "AttributeDataType": "Number"},
            {"Name": "email", "AttributeDataType": "String", "Required": True},
        ],
    )
    yield made
    made.admin.delete_user_pool(UserPoolId=made.id)


class Job:
    """An import job, as a test drives it."""

    def __init__(self, pool: Pool, arn: str, called: str = "people") -> None:
        self.pool = pool
        made = pool.admin.create_user_import_job(
            UserPoolId=pool.id, JobName=called, CloudWatchLogsRoleArn=arn
        )["UserImportJob"]
        assert made["Status"] == "Created"
        self.id, self.url = made["JobId"], made["PreSignedUrl"]
        self.at = {"UserPoolId": pool.id, "JobId": self.id}

    def start(self) -> Any:
        return self.pool.admin.start_user_import_job(**self.at)["UserImportJob"]

    def shown(self) -> Any:
        return self.pool.admin.describe_user_import_job(**self.at)["UserImportJob"]

    def ended(self) -> Any:
        """The job when it has ended."""
        until = time.monotonic() + SECONDS_MAX
        while (found := self.shown())["Status"] in ("Pending", "InProgress", "Stopping"):
            assert time.monotonic() < until, found
        return found


def table(pool: Pool, *rows: dict[str, str]) -> bytes:
    """A file with the pool's header."""
    header = pool.admin.get_csv_header(UserPoolId=pool.id)["CSVHeader"]
    lines = [",".join(row.get(column, "") for column in header) for row in rows]
    return "\n".join([",".join(header), *lines]).encode()


def row(user: str, **more: str) -> dict[str, str]:
    return {
        "cognito:username": user,
        "cognito:mfa_enabled": "FALSE",
        "email": f"{user}@example.com",
        "email_verified": "TRUE",
        **more,
    }


def test_the_header_has_the_pools_attributes(target: Pool) -> None:
    header = target.admin.get_csv_header(UserPoolId=target.id)["CSVHeader"]
    assert {"name", "email_verified", "address", "custom:size"} < set(header)
    assert header[-2:] == ["cognito:mfa_enabled", "cognito:username"]
    assert "sub" not in header


def test_users_come_in_and_choose_a_password(target: Pool, writer: str) -> None:
    job = Job(target, writer, "first people")
    ann, bob, there = name("ann"), name("bob"), target.user(email=f"{name()}@example.com")
    content = table(
        target,
        row(ann, name='"Ann, the first"', **{"custom:size": "42"}),
        row(bob, name="Bob\\, the second", email_verified=""),
        row(there),
        row(name("x"), **{"custom:size": "large"}),
        row(name("x"), email="", email_verified="true"),
        row(name("x"), **{"cognito:mfa_enabled": "maybe"}),
        row(""),
        row(name("mfa"), **{"cognito:mfa_enabled": "true", "phone_number": "+14155550123"}),
    )
    code, _ = refusal(job.start)
    assert code == "PreconditionNotMetException"
    assert put(job.url, b"nothing") == 200
    assert put(job.url, content) == 200, "a later file replaces the first"
    assert job.start()["Status"] == "Pending"
    done = job.ended()
    counts = [done[f"{word}Users"] for word in ("Imported", "Skipped", "Failed")]
    assert (done["Status"], counts) == ("Succeeded", [2, 1, 5])
    assert done["CompletionDate"] >= done["StartDate"] >= done["CreationDate"]
    shown = target.admin.admin_get_user(UserPoolId=target.id, Username=ann)
    assert shown["UserStatus"] == "RESET_REQUIRED"
    values = {one["Name"]: one["Value"] for one in shown["UserAttributes"]}
    assert (values["name"], values["custom:size"]) == ("Ann, the first", "42")
    assert refusal(target.sign_in, ann)[0] == "PasswordResetRequiredException"
    target.anyone.forgot_password(ClientId=target.client, Username=ann)
    target.anyone.confirm_forgot_password(
        ClientId=target.client,
        Username=ann,
        ConfirmationCode=target.code(f"{ann}@example.com"),
        Password=PASSWORD,
    )
    assert "AuthenticationResult" in target.srp(ann)
    described = target.admin.describe_user_pool(UserPoolId=target.id)["UserPool"]
    events = target.cloud.client("logs").get_log_events(
        logGroupName=f"/aws/cognito/userpools/{target.id}/{described['Name']}",
        logStreamName=f"{job.id}/first people",
        startFromHead=True,
    )["events"]
    told = [event["message"] for event in events]
    assert told[:3] == [
        "[SUCCEEDED] Line Number 2 - The import succeeded.",
        "[FAILED] Line Number 3 - The User Record does not set any of the auto verified "
        "attributes to true. (Example: email_verified to true).",
        "[SKIPPED] Line Number 4 - The user already exists.",
    ]
    assert [text.split(" - ")[0] for text in told[3:]] == [
        *(f"[FAILED] Line Number {n}" for n in (5, 6, 7, 8)),
        "[SUCCEEDED] Line Number 9",
    ]
    assert not any(ann in text for text in told), "no user data is written to the log"
    assert refusal(job.start)[0] == "PreconditionNotMetException"
    stop = target.admin.stop_user_import_job
    assert refusal(stop, **job.at)[0] == "PreconditionNotMetException"
    assert put(job.url, content) == 403
    listed = target.admin.list_user_import_jobs(UserPoolId=target.id, MaxResults=60)
    assert job.id in [one["JobId"] for one in listed["UserImportJobs"]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xef\xbb\xbfcognito:username", "header"),
        (b"cognito:username,email\nann,ann@example.com\n", "header"),
        (b"cognito:username,cognito:mfa_enabled,colour\n", "header"),
        (b"\xff\xfe", "UTF-8"),
    ],
    ids=["mark", "missing", "unknown", "bytes"],
)
def test_a_file_that_is_none_fails_the_job(
    target: Pool, writer: str, content: bytes, words: str
) -> None:
    job = Job(target, writer)
    assert put(job.url, content) == 200
    job.start()
    done = job.ended()
    assert done["Status"] == "Failed"
    assert words in done["CompletionMessage"]


def test_a_role_that_cognito_may_not_assume_fails_the_job(target: Pool) -> None:
    job = Job(target, role(target.cloud, "lambda.amazonaws.com"))
    assert put(job.url, table(target, row(name()))) == 200
    job.start()
    done = job.ended()
    assert (done["Status"], done["ImportedUsers"]) == ("Failed", 0)
    assert "role cannot be assumed" in done["CompletionMessage"]


def test_the_address_is_for_one_job_and_not_to_be_guessed(target: Pool, writer: str) -> None:
    job = Job(target, writer)
    assert put(job.url[:-6] + "AAAAAA", b"x") == 403
    assert put(job.url.rpartition("/")[0] + "/", b"x") == 403
    request = {"UserPoolId": target.id, "JobId": "import-nothing"}
    assert refusal(target.admin.describe_user_import_job, **request)[0] == (
        "ResourceNotFoundException"
    )
    code, message = refusal(
        target.admin.create_user_import_job,
        UserPoolId=target.id,
        JobName="hashes",
        CloudWatchLogsRoleArn=writer,
        PasswordHashingAlgorithm="BCRYPT",
    )
    assert (code, "PasswordHashingAlgorithm" in message) == ("InvalidParameterException", True)


def test_an_import_goes_on_after_a_kill_and_can_be_stopped(new_cloud: Any) -> None:
    cloud = new_cloud()
    pool = make_pool(cloud, AutoVerifiedAttributes=["email"])
    writer = role(cloud)
    job = Job(pool, writer)
    count = 600
    assert put(job.url, table(pool, *(row(f"user-{n}") for n in range(count)))) == 200
    job.start()
    while job.shown()["ImportedUsers"] == 0:
        pass
    cloud.kill()
    cloud.start()
    again = Pool(cloud, cloud.client("cognito-idp"), pool.anyone, pool.id, pool.client)
    job.pool = again
    done = job.ended()
    counts = [done[f"{word}Users"] for word in ("Imported", "Skipped", "Failed")]
    assert (done["Status"], counts) == ("Succeeded", [count, 0, 0])
    described = again.admin.describe_user_pool(UserPoolId=pool.id)["UserPool"]
    assert described["EstimatedNumberOfUsers"] == count
    second = Job(again, writer)
    many = 5_000
    assert put(second.url, table(again, *(row(f"late-{n}") for n in range(many)))) == 200
    third = Job(again, writer)
    assert put(third.url, table(again, row("third"))) == 200
    second.start()
    assert refusal(third.start)[0] == "PreconditionNotMetException", "one at a time"
    again.admin.stop_user_import_job(**second.at)
    stopped = second.ended()
    assert stopped["Status"] == "Stopped"
    assert stopped["ImportedUsers"] < many
