"""The rules of a policy document, by where it is to be attached.

Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

from cumulet.core.identity import parse_arn
from cumulet.kit.policy.model import MalformedPolicy
from cumulet.kit.policy.statements import parse_policy, read_document

PolicyKind: TypeAlias = Literal["managed", "inline", "trust", "resource"]
"""`managed` and `inline` are bound to an identity, `trust` to a role, `resource` to anything."""

_VERSIONS = ("2012-10-17", "2008-10-17")
_SID = re.compile(r"[0-9A-Za-z]*\Z")
_VENDOR = re.compile(r"[A-Za-z0-9-]+\Z")
_TRUST_ACTIONS = frozenset(
    {
        *("sts:assumerole", "sts:assumerolewithwebidentity", "sts:assumerolewithsaml"),
        *("sts:tagsession", "sts:setsourceidentity", "sts:setcontext", "sts:*"),
    }
)


def check_document(text: str, kind: PolicyKind) -> Mapping[str, Any]:
    """The document of a policy that may be attached there. Raises MalformedPolicy."""
    try:
        document = read_document(text)
    except MalformedPolicy as cause:
        if kind == "trust":
            raise MalformedPolicy("This policy contains invalid Json") from cause
        raise
    _check_frame(document, kind)
    given = document["Statement"]
    statements = given if isinstance(given, list) else [given]
    if not statements or not all(isinstance(item, dict) for item in statements):
        raise MalformedPolicy("Syntax errors in policy.")
    for statement in statements:
        _check_fields(statement, kind)
    _check_sids(statements, kind)
    parse_policy("", document)
    for statement in statements:
        _check_actions(_listed(statement, "Action", "NotAction"), kind)
        _check_condition_keys(statement.get("Condition", {}))
        for resource in _listed(statement, "Resource", "NotResource"):
            _check_resource(resource)
    return document


def size_of_document(text: str) -> int:
    """Its length as IAM counts it: without white space."""
    return len("".join(text.split()))


def _check_frame(document: Mapping[str, Any], kind: PolicyKind) -> None:
    if not document.keys() <= {"Version", "Id", "Statement"} or "Statement" not in document:
        raise MalformedPolicy("Syntax errors in policy.")
    version = document.get("Version")
    if kind == "managed" and version in (None, "2008-10-17"):
        raise MalformedPolicy("Policy document must be version 2012-10-17 or greater.")
    if version is not None and version not in _VERSIONS:
        raise MalformedPolicy("Syntax errors in policy.")
    if not isinstance(document.get("Id", ""), str):
        raise MalformedPolicy("Syntax errors in policy.")


def _check_fields(statement: Mapping[str, Any], kind: PolicyKind) -> None:
    has_principal = "Principal" in statement or "NotPrincipal" in statement
    if kind in ("managed", "inline") and has_principal:
        raise MalformedPolicy("Policy document should not specify a principal.")
    if kind == "trust":
        for name in ("Resource", "NotResource", "NotPrincipal"):
            if name in statement:
                raise MalformedPolicy(f"Has prohibited field {name}")
    if kind in ("trust", "resource") and not has_principal:
        raise MalformedPolicy("Missing required field Principal")
    if not isinstance(statement.get("Sid", ""), str):
        raise MalformedPolicy("Syntax errors in policy.")
    if "Action" not in statement and "NotAction" not in statement:
        raise MalformedPolicy("Policy statement must contain actions.")
    if kind != "trust" and "Resource" not in statement and "NotResource" not in statement:
        raise MalformedPolicy("Policy statement must contain resources.")


def _check_sids(statements: Iterable[Mapping[str, Any]], kind: PolicyKind) -> None:
    sids = [statement["Sid"] for statement in statements if statement.get("Sid")]
    if len(set(sids)) != len(sids):
        raise MalformedPolicy("Statement IDs (SID) in a single policy must be unique.")
    # Policies of resources have always been freer in their Sids.
    if kind != "resource" and not all(_SID.match(sid) for sid in sids):
        raise MalformedPolicy(
            "Statement IDs (SID) must be alpha-numeric. "
            "Check that your input satisfies the regular expression [0-9A-Za-z]*"
        )


def _listed(statement: Mapping[str, Any], name: str, inverse: str) -> list[str]:
    value = statement.get(name, statement.get(inverse, []))
    return value if isinstance(value, list) else [value]


def _check_actions(actions: list[str], kind: PolicyKind) -> None:
    for action in actions:
        if kind == "trust":
            if action.lower() not in _TRUST_ACTIONS:
                raise MalformedPolicy("AssumeRole policy may only specify STS AssumeRole actions.")
            continue
        if action == "*":
            continue
        vendor, colon, name = action.partition(":")
        if not colon or not name:
            raise MalformedPolicy(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
            )
        if ":" in name:
            raise MalformedPolicy("Actions/Condition can contain only one colon.")
        if not _VENDOR.match(vendor):
            raise MalformedPolicy(f"Vendor {vendor} is not valid")


def _check_condition_keys(block: Mapping[str, Mapping[str, Any]]) -> None:
    for keys in block.values():
        for key in keys:
            if ":" not in key:
                raise MalformedPolicy(
                    "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
                )


def _check_resource(resource: str) -> None:
    if resource == "*":
        return
    if resource.startswith("arn:") and resource.endswith("*") and resource.count(":") < 5:
        return
    # A variable may hold colons of its own: `${aws:username}`.
    arn = parse_arn(re.sub(r"\$\{[^{}]*\}", "v", resource))
    if arn is None:
        raise MalformedPolicy(f'Resource {resource} must be in ARN format or "*".')
    if arn.partition not in ("aws", "aws-cn", "aws-us-gov", "*"):
        raise MalformedPolicy(
            f'Partition "{arn.partition}" is not valid for resource "{resource}".'
        )
    if arn.service == "iam" and arn.region not in ("", "*"):
        raise MalformedPolicy(f"IAM resource {resource} cannot contain region information.")
    if arn.service == "s3" and arn.region not in ("", "*"):
        raise MalformedPolicy(f"Resource {resource} can not contain region information.")
