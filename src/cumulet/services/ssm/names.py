"""Names of parameters, and the selectors behind them: `name`, `name:3`, `name:label`.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cumulet.core.identity import parse_arn
from cumulet.services.ssm.errors import (
    HierarchyLevelLimitExceededException,
    ValidationException,
)
from cumulet.services.ssm.limits import LEVELS_MAX, NAME_LENGTH_MAX

_NAME = re.compile(r"/?[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*\Z")
_PATH = re.compile(r"/(?:[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*/?)?\Z")
_LABEL = re.compile(r"[A-Za-z0-9._-]+\Z")

_RULES = (
    "If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can "
    "be formed as a mix of letters, numbers and the following 3 symbols .-_"
)


class Selected(NamedTuple):
    """A name and what is wanted of it: a version's number, a label, or neither."""

    name: str
    selector: str

    @property
    def number(self) -> int | None:
        """The number of the version, when the selector is one."""
        digits = self.selector.isascii() and self.selector.isdigit() and len(self.selector) < 10
        return int(self.selector) if digits else None


def read_name(text: str) -> Selected:
    """The name and selector that a request gives, which may be an ARN."""
    arn = parse_arn(text)
    if arn is not None and arn.service == "ssm":
        rest = arn.resource.removeprefix("parameter/")
        name, _, selector = rest.partition(":")
        return Selected(f"/{name}" if "/" in name else name, selector)
    name, _, selector = text.partition(":")
    return Selected(name, selector)


def check_new_name(name: str) -> None:
    """Raise unless a parameter may be called so."""
    first = name.lstrip("/").split("/", 1)[0].lower()
    for reserved in ("aws", "ssm"):
        if first.startswith(reserved):
            raise ValidationException(
                f'Parameter name: can\'t be prefixed with "{reserved}" (case-insensitive). {_RULES}'
            )
    if "/" in name and not name.startswith("/"):
        raise ValidationException("Parameter name must be a fully qualified name.")
    if _NAME.match(name) is None:
        raise ValidationException(
            f'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). {_RULES}'
        )
    if len(name) > NAME_LENGTH_MAX:
        raise ValidationException(
            f"Parameter name: must not be longer than {NAME_LENGTH_MAX} characters."
        )
    if name.count("/") > LEVELS_MAX:
        raise HierarchyLevelLimitExceededException(
            f"The hierarchy of a parameter name can have at most {LEVELS_MAX} levels."
        )


def check_path(path: str) -> str:
    """The path with a final slash. Raises ValidationException."""
    if _PATH.match(path) is None:
        raise ValidationException(
            "The parameter doesn't meet the parameter name requirements. The parameter name must "
            'begin with a forward slash "/". It can\'t be prefixed with "aws" or "ssm" '
            "(case-insensitive). It must use only letters, numbers, or the following symbols: . "
            "(period), - (hyphen), _ (underscore). Special characters are not allowed. All "
            'sub-paths, if specified, must use the forward slash symbol "/". Valid example: '
            "/get/parameters2-/by1./path0_."
        )
    return path if path.endswith("/") else f"{path}/"


def is_label(text: str) -> bool:
    """Whether a version may have that label."""
    lowered = text.lower()
    return (
        _LABEL.match(text) is not None
        and not text[0].isdigit()
        and not lowered.startswith(("aws", "ssm"))
    )
