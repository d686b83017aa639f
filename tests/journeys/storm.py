"""Writers for a storm: each knows what was answered, and reads back what is there.

A writer changes one key at a time. `state` is what the answers said; `pending` is the change that
was asked for and not answered when the cloud was killed: it may be there whole, or not at all.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import random
import time
import zipfile
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ConnectionError, HTTPClientError

KEYS_MAX = 8
CUT_OFF = (ConnectionError, HTTPClientError)
"""What boto3 raises when the cloud is gone in the middle of a call."""

Change = tuple[str, Any, Callable[[], Any]]
"""A key, the value it will have (None for gone), and the call that makes it so."""


class Writer:
    """One kind of things, written by one thread."""

    service: str

    def __init__(self, seed: int) -> None:
        self.random = random.Random(f"{type(self).__name__} {seed}")
        self.state: dict[str, Any] = {}
        self.pending: tuple[str, Any] | None = None
        self.answered = 0
        self.client: Any = None

    def prepare(self, cloud: Any) -> None:
        """Make what the writes need; once."""

    @abstractmethod
    def change(self) -> Change:
        """The next write."""

    @abstractmethod
    def observe(self) -> dict[str, Any]:
        """What the cloud has now."""

    def write_until_cut(self, told: Callable[[], None]) -> None:
        """Write until the cloud is gone; `told` is called after each answer."""
        try:
            while True:
                key, value, call = self.change()
                self.pending = (key, value)
                call()
                self._settle(key, value)
                self.answered += 1
                told()
        except CUT_OFF:
            return

    def _settle(self, key: str, value: Any) -> None:
        if value is None:
            self.state.pop(key, None)
        else:
            self.state[key] = value
        self.pending = None

    def verify(self) -> None:
        """Compare what is there with what was answered, and go on from what is there."""
        found = self.observe()
        name = type(self).__name__
        for key in self.state.keys() | found.keys():
            allowed = [self.state.get(key)]
            if self.pending is not None and self.pending[0] == key:
                allowed.append(self.pending[1])
            assert found.get(key) in allowed, f"{name} {key}: {found.get(key)!r} not in {allowed!r}"
        self.state, self.pending = found, None

    def some_key(self) -> str:
        return f"k{self.random.randrange(KEYS_MAX)}"


class Users(Writer):
    """IAM users, each with its inline policies."""

    service = "iam"

    def change(self) -> Change:
        name = f"storm-{self.some_key()}"
        policies = self.state.get(name)
        if policies is None:
            return name, frozenset(), lambda: self.client.create_user(UserName=name)
        policy = f"p{self.random.randrange(3)}"
        if policy in policies:
            rest = policies - {policy}
            where = {"UserName": name, "PolicyName": policy}
            return name, rest, lambda: self.client.delete_user_policy(**where)
        if not policies and self.random.random() < 0.4:
            return name, None, lambda: self.client.delete_user(UserName=name)
        statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": statement})
        put = {"UserName": name, "PolicyName": policy, "PolicyDocument": document}
        return name, policies | {policy}, lambda: self.client.put_user_policy(**put)

    def observe(self) -> dict[str, Any]:
        names = [user["UserName"] for user in self.client.list_users()["Users"]]
        return {
            name: frozenset(self.client.list_user_policies(UserName=name)["PolicyNames"])
            for name in names
            if name.startswith("storm-")
        }


class Objects(Writer):
    """S3 objects up to `size_max` bytes, by the digest of their content."""

    service = "s3"
    bucket = "storm-small"
    size_max = 4_096

    def prepare(self, cloud: Any) -> None:
        cloud.client("s3").create_bucket(Bucket=self.bucket)

    def change(self) -> Change:
        key = self.some_key()
        where = {"Bucket": self.bucket, "Key": key}
        if key in self.state and self.random.random() < 0.25:
            return key, None, lambda: self.client.delete_object(**where)
        body = self.random.randbytes(self.random.randrange(1, self.size_max))
        return key, digest(body), lambda: self.client.put_object(**where, Body=body)

    def observe(self) -> dict[str, Any]:
        rows = self.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return {row["Key"]: self._read(row["Key"]) for row in rows}

    def _read(self, key: str) -> str:
        return digest(self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read())


class LargeObjects(Objects):
    """S3 objects that are kept as blobs, some of them uploaded in parts."""

    bucket = "storm-large"
    size_max = 3_000_000

    def change(self) -> Change:
        if self.random.random() < 0.8:
            return super().change()
        key = self.some_key()
        parts = [self.random.randbytes(5_242_880), self.random.randbytes(1_000)]
        return key, digest(b"".join(parts)), lambda: self._upload(key, parts)

    def _upload(self, key: str, parts: list[bytes]) -> None:
        where = {"Bucket": self.bucket, "Key": key}
        upload = self.client.create_multipart_upload(**where)["UploadId"]
        tags = []
        for number, part in enumerate(parts, 1):
            sent = self.client.upload_part(**where, UploadId=upload, PartNumber=number, Body=part)
            tags.append({"PartNumber": number, "ETag": sent["ETag"]})
        self.client.complete_multipart_upload(
            **where, UploadId=upload, MultipartUpload={"Parts": tags}
        )


class LogEvents(Writer):
    """Batches of log events: a batch is there whole and in its order, or not at all."""

    service = "logs"
    where = {"logGroupName": "/storm", "logStreamName": "storm"}  # noqa: RUF012

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.batches = 0

    def prepare(self, cloud: Any) -> None:
        client = cloud.client("logs")
        client.create_log_group(logGroupName="/storm")
        client.create_log_stream(**self.where)

    def change(self) -> Change:
        self.batches += 1
        key = f"b{self.batches:06}"
        texts = tuple(f"{key} {n} {self.random.random()}" for n in range(5))
        now = self.clock_ms()
        events = [{"timestamp": now + n, "message": text} for n, text in enumerate(texts)]
        return key, texts, lambda: self.client.put_log_events(**self.where, logEvents=events)

    def clock_ms(self) -> int:
        return int(time.time() * 1000)

    def observe(self) -> dict[str, Any]:
        found: dict[str, tuple[str, ...]] = defaultdict(tuple)
        token: dict[str, str] = {}
        while True:
            page = self.client.get_log_events(**self.where, startFromHead=True, **token)
            for event in page["events"]:
                key = event["message"].split()[0]
                found[key] = (*found[key], event["message"])
            if page["nextForwardToken"] == token.get("nextToken"):
                return dict(found)
            token = {"nextToken": page["nextForwardToken"]}


class Functions(Writer):
    """Lambda functions: the digest of the code, and the description."""

    service = "lambda"
    role = ""

    def prepare(self, cloud: Any) -> None:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        trust = json.dumps({"Version": "2012-10-17", "Statement": statement})
        made = cloud.client("iam").create_role(RoleName="storm", AssumeRolePolicyDocument=trust)
        self.role = made["Role"]["Arn"]

    def change(self) -> Change:
        name = f"storm-{self.some_key()}"
        there = self.state.get(name)
        if there is None:
            code, text = self._code(), str(self.random.random())
            settings = {
                "FunctionName": name,
                "Role": self.role,
                "Runtime": "python3.11",
                "Handler": "index.handler",
                "Description": text,
                "Code": {"ZipFile": code},
            }
            return name, (sha(code), text), lambda: self.client.create_function(**settings)
        chance = self.random.random()
        if chance < 0.2:
            return name, None, lambda: self.client.delete_function(FunctionName=name)
        if chance < 0.6:
            code = self._code()
            update = {"FunctionName": name, "ZipFile": code}
            return name, (sha(code), there[1]), lambda: self.client.update_function_code(**update)
        text = str(self.random.random())
        change = {"FunctionName": name, "Description": text}
        return (
            name,
            (there[0], text),
            lambda: self.client.update_function_configuration(**change),
        )

    def _code(self) -> bytes:
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w") as archive:
            archive.writestr("index.py", f"X = {self.random.random()}\n")
            archive.writestr("data.bin", self.random.randbytes(self.random.randrange(200_000)))
        return sink.getvalue()

    def observe(self) -> dict[str, Any]:
        rows = self.client.list_functions()["Functions"]
        return {row["FunctionName"]: (row["CodeSha256"], row["Description"]) for row in rows}


class Resources(Writer):
    """API Gateway resources and the methods on them."""

    service = "apigateway"
    api = ""
    root = ""

    def prepare(self, cloud: Any) -> None:
        client = cloud.client("apigateway")
        self.api = client.create_rest_api(name="storm")["id"]
        self.root = client.get_resources(restApiId=self.api)["items"][0]["id"]

    def change(self) -> Change:
        part = self.some_key()
        there = self.state.get(part)
        if there is None:
            made = {"restApiId": self.api, "parentId": self.root, "pathPart": part}
            return part, ("", frozenset()), lambda: self.client.create_resource(**made)
        where = {"restApiId": self.api, "resourceId": self._id(part)}
        if self.random.random() < 0.2:
            return part, None, lambda: self.client.delete_resource(**where)
        verb = self.random.choice(["GET", "POST", "PUT"])
        on = {**where, "httpMethod": verb}
        if verb in there[1]:
            rest = ("", there[1] - {verb})
            return part, rest, lambda: self.client.delete_method(**on)
        more = ("", there[1] | {verb})
        return part, more, lambda: self.client.put_method(**on, authorizationType="NONE")

    def _id(self, part: str) -> str:
        rows = self.client.get_resources(restApiId=self.api, limit=500)["items"]
        return str(next(row["id"] for row in rows if row.get("pathPart") == part))

    def observe(self) -> dict[str, Any]:
        rows = self.client.get_resources(restApiId=self.api, limit=500, embed=["methods"])["items"]
        return {
            row["pathPart"]: ("", frozenset(row.get("resourceMethods", {})))
            for row in rows
            if row.get("pathPart")
        }


class Parameters(Writer):
    """SSM parameters: the value and how often it was written."""

    service = "ssm"

    def change(self) -> Change:
        name = f"/storm/{self.some_key()}"
        there = self.state.get(name)
        if there is not None and self.random.random() < 0.2:
            return name, None, lambda: self.client.delete_parameter(Name=name)
        text = str(self.random.random())
        put = {"Name": name, "Value": text, "Type": "String", "Overwrite": there is not None}
        version = 1 if there is None else there[1] + 1
        return name, (text, version), lambda: self.client.put_parameter(**put)

    def observe(self) -> dict[str, Any]:
        pages = self.client.get_paginator("get_parameters_by_path").paginate(Path="/storm")
        rows = [row for page in pages for row in page["Parameters"]]
        return {row["Name"]: (row["Value"], row["Version"]) for row in rows}


KINDS: tuple[type[Writer], ...] = (
    Users,
    Objects,
    LargeObjects,
    LogEvents,
    Functions,
    Resources,
    Parameters,
)


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def sha(code: bytes) -> str:
    return base64.b64encode(hashlib.sha256(code).digest()).decode()


def is_served(cloud: Any, kind: type[Writer]) -> bool:
    """Whether this cloud has the service that the writer writes to."""
    _, health = cloud.get("/_cumulet/health")
    return kind.service in json.loads(health)["services"]
