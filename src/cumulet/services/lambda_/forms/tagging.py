"""The rules for tags. Pure.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html
"""

from __future__ import annotations

from collections.abc import Mapping

from cumulet.services.lambda_.errors import InvalidParameterValueException
from cumulet.services.lambda_.limits import TAGS_MAX


def check_tags(tags: Mapping[str, str]) -> None:
    """Raises InvalidParameterValueException for too many tags, or AWS's own prefix."""
    if len(tags) > TAGS_MAX:
        raise InvalidParameterValueException("Number of tags exceeds resource tag limit.")
    if any(key.lower().startswith("aws:") for key in tags):
        raise InvalidParameterValueException("System tags cannot be added/updated by requester.")
