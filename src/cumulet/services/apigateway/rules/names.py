"""Names of things: the ARNs that permissions are asked for, and what may be called how."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import PARTITION, Scope
from cumulet.services.apigateway.errors import BadRequestException

HTTP_METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD")
ANY = "ANY"

PRINCIPAL = "apigateway.amazonaws.com"
"""API Gateway itself, as other services' policies name it."""

_PATH_PART = re.compile(r"[a-zA-Z0-9._\-:$~@!&'()*+,;=]+\Z")
_PATH_PARAMETER = re.compile(r"\{[a-zA-Z0-9._\-:]+\+?\}\Z")
_STAGE_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}\Z")
_VARIABLE_NAME = re.compile(r"[a-zA-Z0-9_]+\Z")
_VARIABLE_VALUE = re.compile(r"[A-Za-z0-9\-._~:/?#&=,]*\Z")

Resource = Callable[[Context, Mapping[str, Any]], str]


def control_arn(region: str, path: str) -> str:
    """The ARN of a control-plane resource, as `/restapis/abc/stages/prod`.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-create-and-manage-api.html
    """
    return f"arn:{PARTITION}:apigateway:{region}::{path}"


def invoke_arn(scope: Scope, api_id: str, stage: str, method: str, path: str) -> str:
    """The ARN that `execute-api:Invoke` is asked for; `path` begins with a slash."""
    return scope.arn("execute-api", f"{api_id}/{stage}/{method}{path}")


def at(template: str) -> Resource:
    """The ARN of an operation from members of its request: `/restapis/{restApiId}`."""

    def name(ctx: Context, request: Mapping[str, Any]) -> str:
        return control_arn(ctx.scope.region, template.format_map(request))

    return name


def is_path_parameter(part: str) -> bool:
    """Whether a path part stands for any segment, or with `+` for all that follow."""
    return part.startswith("{") and part.endswith("}")


def check_path_part(part: str) -> None:
    """Raise BadRequestException unless a resource may be called so."""
    if not part or not (_PATH_PART.match(part) or _PATH_PARAMETER.match(part)):
        raise BadRequestException(
            "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and "
            "curly braces at the beginning and the end."
        )


def check_http_method(method: str) -> None:
    """Raise BadRequestException unless it is one of the seven, or ANY."""
    if method not in HTTP_METHODS and method != ANY:
        raise BadRequestException(
            f"Invalid HttpMethod specified. Valid options are {','.join(_METHODS_AS_AWS_LISTS)}"
        )


_METHODS_AS_AWS_LISTS = ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", ANY)


def check_stage_name(name: str) -> None:
    """Raise BadRequestException unless a stage may be called so."""
    if not _STAGE_NAME.match(name):
        raise BadRequestException("Stage name only allows a-zA-Z0-9_-")


def check_variables(variables: Mapping[str, str] | None) -> None:
    """Raise BadRequestException unless these may be stage variables."""
    for name, value in (variables or {}).items():
        if not _VARIABLE_NAME.match(name):
            raise BadRequestException(
                f"Stage variable name must only contain alphanumeric and underscore: {name}"
            )
        if not _VARIABLE_VALUE.match(value):
            raise BadRequestException(
                "Stage variable value must match [A-Za-z0-9-._~:/?#&=,]+: " + name
            )
