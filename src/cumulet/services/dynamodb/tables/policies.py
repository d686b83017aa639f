"""Resource-based policies of tables: what may be attached.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-considerations.html
"""

from __future__ import annotations

import json
from typing import Any

from cumulet.kit.policy import MalformedPolicy, check_document
from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.limits import POLICY_BYTES_MAX


def check_policy(text: str, arn: str) -> None:
    """Raise ValidationException unless the document may be attached to the table of that ARN.

    Its statements must be about this table and its indexes: policies of several tables are asked
    together when a request names them all.
    """
    if len(text.encode()) > POLICY_BYTES_MAX:
        raise ValidationException(
            f"Resource-based policies are limited to {POLICY_BYTES_MAX} bytes"
        )
    try:
        check_document(text, "resource")
    except MalformedPolicy as error:
        raise ValidationException(f"Invalid policy document: {error}") from None
    document = json.loads(text)
    given = document["Statement"]
    for statement in given if isinstance(given, list) else [given]:
        for resource in _listed(statement.get("Resource")):
            if resource != arn and not resource.startswith(f"{arn}/"):
                raise ValidationException(
                    f"Invalid policy document: the resource {resource} is not {arn} or an index "
                    "of it"
                )
        if "NotResource" in statement:
            raise ValidationException("Invalid policy document: NotResource cannot be used here")


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
