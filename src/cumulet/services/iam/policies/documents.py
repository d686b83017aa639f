"""What IAM asks of a policy document before it takes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cumulet.core.identity import Scope, parse_arn
from cumulet.kit.policy import MalformedPolicy, PolicyKind, check_document, size_of_document
from cumulet.kv.contract import Transaction
from cumulet.services.iam import store
from cumulet.services.iam.errors import (
    InvalidInputException,
    LimitExceededException,
    MalformedPolicyDocumentException,
    NoSuchEntityException,
)
from cumulet.services.iam.limits import (
    MANAGED_POLICY_SIZE_MAX,
    TAGS_MAX,
    TRUST_POLICY_SIZE_MAX,
)
from cumulet.services.iam.model import Entity
from cumulet.services.iam.policies.aws import aws_policies, is_aws_arn


def check_policy(text: str, kind: PolicyKind) -> Mapping[str, Any]:
    """The document, if it may be attached there. Raises MalformedPolicyDocumentException."""
    try:
        return check_document(text, kind)
    except MalformedPolicy as cause:
        raise MalformedPolicyDocumentException(str(cause)) from cause


def check_managed(text: str) -> None:
    """Raise unless the text may be a managed policy."""
    check_policy(text, "managed")
    if size_of_document(text) > MANAGED_POLICY_SIZE_MAX:
        raise LimitExceededException(
            f"Cannot exceed quota for PolicySize: {MANAGED_POLICY_SIZE_MAX}"
        )


def check_trust(text: str) -> tuple[str, ...]:
    """Raise unless the text may be a role's trust policy; the ARNs of users and roles in it."""
    document = check_policy(text, "trust")
    if size_of_document(text) > TRUST_POLICY_SIZE_MAX:
        raise LimitExceededException(
            f"Cannot exceed quota for ACLSizePerRole: {TRUST_POLICY_SIZE_MAX}"
        )
    given = document["Statement"]
    return tuple(_trusted(given if isinstance(given, list) else [given]))


def _trusted(statements: list[Mapping[str, Any]]) -> Iterator[str]:
    for statement in statements:
        principal = statement["Principal"]
        named = principal.get("AWS", ()) if isinstance(principal, Mapping) else ()
        yield from [named] if isinstance(named, str) else named


async def check_trusted(tx: Transaction, arns: tuple[str, ...]) -> None:
    """Raise unless the users and roles exist, as far as their accounts are ours."""
    for arn in arns:
        parsed = parse_arn(arn)
        if parsed is None or parsed.resource == "root":
            continue
        if await store.ACCOUNTS.load(tx, store.EVERYWHERE, parsed.account) is None:
            continue
        if not await _exists(tx, Scope(parsed.account, ""), parsed.service, parsed.resource, arn):
            raise MalformedPolicyDocumentException(f'Invalid principal in policy: "AWS":"{arn}"')


async def _exists(tx: Transaction, scope: Scope, service: str, resource: str, arn: str) -> bool:
    kind, _, name = resource.partition("/")
    if service == "sts" and kind == "assumed-role":
        return await store.load_role(tx, scope, name.split("/", 1)[0]) is not None
    if service == "sts":
        return kind == "federated-user"
    name = name.rsplit("/", 1)[-1]
    found: Entity | None = None
    if kind == "user":
        found = await store.load_user(tx, scope, name)
    elif kind == "role":
        found = await store.load_role(tx, scope, name)
    return found is not None and found.arn(scope.account) == arn


async def check_attachable(tx: Transaction, scope: Scope, arn: str) -> None:
    """Raise unless there is such a managed policy, ours or AWS's."""
    if parse_arn(arn) is None:
        raise InvalidInputException(f"ARN {arn} is not valid.")
    known = arn in aws_policies() if is_aws_arn(arn) else await store.load_policy(tx, scope, arn)
    if not known:
        raise NoSuchEntityException(f"Policy {arn} does not exist or is not attachable.")


def read_tags(
    given: list[Mapping[str, str]], present: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Tags as they will be: those that are there, and the given ones on top."""
    tags = dict(present or {})
    names = [tag["Key"].lower() for tag in given]
    if len(set(names)) != len(names):
        raise InvalidInputException(
            "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
    for tag in given:
        # The keys of tags keep their case and are the same without it.
        for name in [name for name in tags if name.lower() == tag["Key"].lower()]:
            del tags[name]
        tags[tag["Key"]] = tag["Value"]
    if len(tags) > TAGS_MAX:
        raise LimitExceededException(f"Cannot exceed quota for TagsPerResource: {TAGS_MAX}")
    return tags
