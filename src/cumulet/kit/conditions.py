"""The global condition keys of a request, as IAM policies see them.

Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from typing import Any

from cumulet.core.clock import iso_time
from cumulet.core.context import Context

_PRINCIPAL_TYPES = {
    "root": "Account",
    "user": "User",
    "role": "AssumedRole",
    "federated": "FederatedUser",
    "anonymous": "Anonymous",
}


def condition_keys(ctx: Context) -> dict[str, Any]:
    """The keys of this caller and request; a key that does not apply is absent."""
    caller = ctx.caller
    now = ctx.clock.now()
    keys: dict[str, Any] = {
        "aws:CurrentTime": iso_time(now),
        "aws:EpochTime": str(int(now)),
        "aws:RequestedRegion": ctx.scope.region,
        "aws:ViaAWSService": "false",
        "aws:PrincipalIsAWSService": "false",
    }
    if caller.kind == "service":
        keys["aws:PrincipalIsAWSService"] = "true"
        keys["aws:PrincipalServiceName"] = caller.arn
    else:
        keys["aws:PrincipalType"] = _PRINCIPAL_TYPES[caller.kind]
        keys["aws:userid"] = caller.user_id
    if caller.kind not in ("service", "anonymous"):
        keys["aws:PrincipalArn"] = caller.policy_arn or caller.arn
        keys["aws:PrincipalAccount"] = caller.account
    if caller.kind == "user":
        keys["aws:username"] = caller.arn.rsplit("/", 1)[-1]
    for name, value in caller.tags.items():
        keys[f"aws:PrincipalTag/{name}"] = value
    request = ctx.request
    if request is not None:
        keys["aws:SourceIp"] = request.peer
        keys["aws:SecureTransport"] = "true" if request.scheme == "https" else "false"
        for key, header in (("aws:UserAgent", "user-agent"), ("aws:Referer", "referer")):
            if header in request.headers:
                keys[key] = request.headers.get(header)
    keys.update(caller.context)
    return keys
