"""Names of functions and layers: bare, partial and full ARNs, with and without qualifier. Pure.

Follows https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (FunctionName)
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from cumulet.core.identity import Scope
from cumulet.services.lambda_.errors import (
    InvalidParameterValueException,
    ResourceNotFoundException,
)
from cumulet.services.lambda_.limits import FUNCTION_NAME_LENGTH_MAX

LATEST = "$LATEST"

_NAMES_KEPT_MAX = 1_024
"""Names whose parts are remembered: one request asks for them several times."""

_FUNCTION = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:)?(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):)?"
    r"(?:(?P<account>\d{12}):)?(?:function:)?(?P<name>[a-zA-Z0-9_-]+)"
    r"(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9_-]+))?\Z"
)
_LAYER = re.compile(
    r"arn:aws[a-zA-Z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):layer:"
    r"(?P<name>[a-zA-Z0-9_-]+)(?::(?P<version>\d+))?\Z"
)


class FunctionRef(NamedTuple):
    """A function as a request names it. `qualifier` is empty when the request has none."""

    scope: Scope
    name: str
    qualifier: str

    @property
    def unqualified_arn(self) -> str:
        """The function's ARN."""
        return self.scope.arn("lambda", f"function:{self.name}")

    @property
    def arn(self) -> str:
        """The ARN of the version or alias when one is named, else the function's."""
        return qualified(self.unqualified_arn, self.qualifier)


class LayerRef(NamedTuple):
    """A layer as a request names it; `version` is 0 when the request names none."""

    scope: Scope
    name: str
    version: int

    @property
    def arn(self) -> str:
        """The layer's ARN, with the version when one is named."""
        arn = self.scope.arn("lambda", f"layer:{self.name}")
        return f"{arn}:{self.version}" if self.version else arn


def qualified(arn: str, qualifier: str) -> str:
    """The ARN with a qualifier, if there is one."""
    return f"{arn}:{qualifier}" if qualifier else arn


@lru_cache(_NAMES_KEPT_MAX)
def parse_function(scope: Scope, text: str, qualifier: str | None = None) -> FunctionRef:
    """The function that `text` names, seen from `scope`.

    Raises InvalidParameterValueException when the text's own qualifier is another one, and
    ResourceNotFoundException for a function of another region.
    """
    if text.isidentifier():  # Most requests carry a bare name.
        return FunctionRef(scope, text, qualifier or "")
    match = _FUNCTION.match(text)
    if match is None:
        raise InvalidParameterValueException(f"Invalid function name: {text}")
    region, account, name, own = match.group("region", "account", "name", "qualifier")
    if own and qualifier and own != qualifier:
        raise InvalidParameterValueException(
            "The derived qualifier from the function name does not match the specified qualifier."
        )
    if region and region != scope.region:
        raise ResourceNotFoundException(
            f"Functions from '{region}' are not reachable in this region ('{scope.region}')"
        )
    place = Scope(account or scope.account, scope.region)
    return FunctionRef(place, name, own or qualifier or "")


def parse_new_function(scope: Scope, text: str) -> FunctionRef:
    """The name of a function to be made: of this account, unqualified and at most 64 long."""
    ref = parse_function(scope, text)
    if ref.qualifier or ref.scope != scope:
        raise InvalidParameterValueException(f"Invalid function name: {text}")
    if len(ref.name) > FUNCTION_NAME_LENGTH_MAX:
        raise InvalidParameterValueException(
            f"1 validation error detected: Value '{text}' at 'functionName' failed to satisfy "
            "constraint: Member must have length less than or equal to 64"
        )
    return ref


def parse_layer(scope: Scope, text: str, version: int = 0) -> LayerRef:
    """The layer that `text` (a name or an ARN) names."""
    if ":" not in text:
        return LayerRef(scope, text, version)
    match = _LAYER.match(text)
    if match is None:
        raise InvalidParameterValueException(f"Invalid layer name: {text}")
    region, account, name, own = match.group("region", "account", "name", "version")
    return LayerRef(Scope(account, region), name, version or int(own or 0))


def parse_layer_version(arn: str) -> LayerRef:
    """The layer version that an ARN names."""
    match = _LAYER.match(arn)
    if match is None or not match.group("version"):
        raise InvalidParameterValueException(f"Invalid Layer arn: {arn}")
    region, account, name, version = match.group("region", "account", "name", "version")
    return LayerRef(Scope(account, region), name, int(version))


def is_version(qualifier: str) -> bool:
    """Whether the qualifier is a published version's number."""
    return qualifier.isascii() and qualifier.isdigit()
