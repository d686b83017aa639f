"""The policy document of a form: who signed it, and whether the form is what it allows.

Follows https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cumulet.core.context import Platform
from cumulet.core.errors import AccessDenied
from cumulet.core.identity import Principal
from cumulet.kit.ports import Credential, Credentials
from cumulet.services.s3.errors import InvalidArgument, InvalidRequest

Fields = Mapping[str, str]

_UNCHECKED = ("policy", "x-amz-signature", "signature", "awsaccesskeyid", "file", "bucket")
_EXPIRATION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z\Z")
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your key "
    "and signing method."
)


async def form_principal(platform: Platform, fields: Fields) -> Principal:
    """Who signed the policy, by version 4 or 2. Raises AwsError."""
    policy = _required(fields, "policy")
    token = fields.get("x-amz-security-token", "")
    if "x-amz-algorithm" in fields or "x-amz-signature" in fields:
        if fields.get("x-amz-algorithm") != "AWS4-HMAC-SHA256":
            raise InvalidArgument(
                "Only AWS4-HMAC-SHA256 is supported.", ArgumentName="x-amz-algorithm"
            )
        parts = _required(fields, "x-amz-credential").split("/")
        _required(fields, "x-amz-date")
        if len(parts) != 5 or parts[3:] != ["s3", "aws4_request"]:
            raise InvalidArgument(
                "the Credential is mal-formed; expecting "
                '"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
                ArgumentName="X-Amz-Credential",
            )
        found = await _find(platform, parts[0], token)
        key = f"AWS4{found.secret}".encode()
        for part in parts[1:]:
            key = hmac.digest(key, part.encode(), "sha256")
        expected = hmac.digest(key, policy.encode(), "sha256").hex()
        given = _required(fields, "x-amz-signature")
    else:
        found = await _find(platform, _required(fields, "awsaccesskeyid"), token)
        digest = hmac.digest(found.secret.encode(), policy.encode(), "sha1")
        expected = base64.b64encode(digest).decode()
        given = _required(fields, "signature")
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise InvalidRequest(_MISMATCH, code="SignatureDoesNotMatch", http_status=403)
    if found.expires_at is not None and found.expires_at <= platform.clock.now():
        raise InvalidRequest("The provided token has expired.", code="ExpiredToken")
    return found.principal


async def _find(platform: Platform, key_id: str, token: str) -> Credential:
    port = platform.need(Credentials)
    found = await port.find(key_id, token)
    if found is None:
        raise InvalidRequest(
            "The AWS Access Key Id you provided does not exist in our records.",
            code="InvalidAccessKeyId",
            http_status=403,
        )
    return found


def _required(fields: Fields, name: str) -> str:
    if not fields.get(name):
        raise InvalidArgument(
            f"Bucket POST must contain a field named '{name}'.  If it is specified, please check "
            "the order of the fields.",
            ArgumentName=name,
            ArgumentValue="",
        )
    return fields[name]


def check_policy(fields: Fields, now: float) -> tuple[int, int] | None:
    """Whether the policy allows the form; the sizes that the file may have, if it says so.

    Raises AccessDenied, and InvalidPolicyDocument when it is no policy.
    """
    document = _document(fields["policy"])
    if _expiration(document) <= now:
        raise _refused("Policy expired.")
    conditions = document.get("conditions")
    if not isinstance(conditions, list):
        raise _invalid("Invalid Policy: Missing 'conditions'.")
    covered: set[str] = set()
    limits: tuple[int, int] | None = None
    for condition in conditions:
        for test, name, value in _tests(condition):
            if test == "content-length-range":
                limits = (int(name), int(value))
                continue
            covered.add(name)
            given = fields.get(name, "")
            fits = given.startswith(value) if test == "starts-with" else given == value
            if name == "content-type" and test == "starts-with":
                fits = all(one.strip().startswith(value) for one in given.split(","))
            if not fits:
                raise _refused(f"Policy Condition failed: {json.dumps(condition)}")
    extra = [
        name
        for name in fields
        if name not in covered and name not in _UNCHECKED and not name.startswith("x-ignore-")
    ]
    if extra:
        raise _refused(f"Extra input fields: {', '.join(extra)}")
    if "bucket" not in covered:
        raise _refused("Policy Condition failed: the policy does not name the bucket")
    return limits


def _tests(condition: Any) -> list[tuple[str, str, Any]]:
    if isinstance(condition, dict):
        if not condition or not all(isinstance(value, str) for value in condition.values()):
            raise _invalid("Invalid Policy: Invalid Simple-Condition: value must be a string.")
        return [("eq", name.lower(), value) for name, value in condition.items()]
    if not isinstance(condition, list) or len(condition) != 3:
        raise _invalid("Invalid Policy: Invalid Condition: wrong number of arguments.")
    test, name, value = condition
    if not isinstance(test, str):
        raise _invalid("Invalid Policy: Invalid Condition: the operation must be a string.")
    if test.lower() == "content-length-range":
        bounds = [_number(name), _number(value)]
        return [("content-length-range", str(bounds[0]), bounds[1])]
    if test.lower() not in ("eq", "starts-with") or not isinstance(name, str):
        raise _invalid("Invalid Policy: Invalid Condition: unknown operation.")
    if not name.startswith("$") or not isinstance(value, str):
        raise _invalid("Invalid Policy: Invalid Condition: expecting a field and a string.")
    return [(test.lower(), name[1:].lower(), value)]


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdigit():
        raise _invalid("Invalid Policy: Invalid content-length-range: must be positive integers.")
    return int(value)


def _document(text: str) -> dict[str, Any]:
    try:
        found = json.loads(base64.b64decode(text, validate=False))
    except (binascii.Error, ValueError):
        raise _invalid("Invalid Policy: Invalid JSON.") from None
    if not isinstance(found, dict):
        raise _invalid("Invalid Policy: Invalid JSON.")
    return found


def _expiration(document: dict[str, Any]) -> float:
    given = document.get("expiration")
    if not isinstance(given, str):
        raise _invalid("Invalid Policy: Missing 'expiration'.")
    try:
        when = datetime.fromisoformat(given) if _EXPIRATION.match(given) else None
    except ValueError:
        when = None
    if when is None:
        raise _invalid(f"Invalid Policy: Invalid 'expiration' value: '{given}'")
    return when.timestamp()


def _refused(reason: str) -> AccessDenied:
    return AccessDenied(f"Invalid according to Policy: {reason}")


def _invalid(message: str) -> InvalidRequest:
    return InvalidRequest(message, code="InvalidPolicyDocument")
