"""Users with keys and policy documents, for the tests of IAM and STS."""

from __future__ import annotations

import json
from typing import Any


class User:
    """A user with a key."""

    def __init__(self, cloud: Any, iam: Any, name: str, path: str = "/") -> None:
        self.cloud = cloud
        self.name = name
        self.arn = iam.create_user(UserName=name, Path=path)["User"]["Arn"]
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self.key = (key["AccessKeyId"], key["SecretAccessKey"])
        self._iam = iam

    def client(self, service: str) -> Any:
        return self.cloud.client(service, key=self.key)

    def may(self, *statements: dict[str, Any], name: str = "may") -> User:
        """Give it an inline policy."""
        self._iam.put_user_policy(
            UserName=self.name, PolicyName=name, PolicyDocument=document(*statements)
        )
        return self


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: Any = "*", **rest: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **rest}


def trust(principal: Any, *actions: str, **rest: Any) -> str:
    return document(
        {
            "Effect": "Allow",
            "Principal": principal,
            "Action": list(actions) or "sts:AssumeRole",
            **rest,
        }
    )
