"""Resource policies of functions and layers: their statements, and what evaluation needs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.identity import is_account
from cumulet.kit import policy as iam
from cumulet.services.lambda_.model import LayerVersion, Policy


def parsed(policy: Policy) -> tuple[iam.Policy, ...]:
    """A function's policy as it is evaluated."""
    return _parse(policy.statements)


def parsed_layer(layer: LayerVersion) -> tuple[iam.Policy, ...]:
    """A layer version's policy as it is evaluated."""
    return _parse(layer.statements)


def _parse(statements: tuple[dict[str, Any], ...]) -> tuple[iam.Policy, ...]:
    if not statements:
        return ()
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return (iam.parse_policy("resource-based policy", document),)


def function_statement(request: Mapping[str, Any], arn: str) -> dict[str, Any]:
    """The statement that AddPermission makes.

    https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
    """
    statement: dict[str, Any] = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(request["Principal"]),
        "Action": request["Action"],
        "Resource": arn,
    }
    equal = {
        "AWS:SourceAccount": request.get("SourceAccount"),
        "lambda:EventSourceToken": request.get("EventSourceToken"),
        "lambda:FunctionUrlAuthType": request.get("FunctionUrlAuthType"),
        "aws:PrincipalOrgID": request.get("PrincipalOrgID"),
    }
    condition: dict[str, dict[str, str]] = {}
    chosen = {key: value for key, value in equal.items() if value}
    if chosen:
        condition["StringEquals"] = chosen
    if source := request.get("SourceArn"):
        condition["ArnLike"] = {"AWS:SourceArn": source}
    if (via_url := request.get("InvokedViaFunctionUrl")) is not None:
        condition["Bool"] = {"lambda:InvokedViaFunctionUrl": "true" if via_url else "false"}
    if condition:
        statement["Condition"] = condition
    return statement


def layer_statement(request: Mapping[str, Any], arn: str) -> dict[str, Any]:
    """The statement that AddLayerVersionPermission makes."""
    principal = request["Principal"]
    statement: dict[str, Any] = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else {"AWS": _account_arn(principal)},
        "Action": request["Action"],
        "Resource": arn,
    }
    if organization := request.get("OrganizationId"):
        statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": organization}}
    return statement


def _principal(text: str) -> Any:
    if text == "*":
        return "*"
    if is_account(text) or text.startswith("arn:"):
        return {"AWS": _account_arn(text)}
    return {"Service": text}


def _account_arn(text: str) -> str:
    return f"arn:aws:iam::{text}:root" if is_account(text) else text
