"""Bodies of InvokeModel, one file for each family of models, and which family a model is of.

Follows https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
"""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any, Protocol, cast

from cumulet.services.bedrock.errors import ValidationException
from cumulet.services.bedrock.families import anthropic, llama, mistral, mistral_chat, nova, titan
from cumulet.services.bedrock.families.fields import check_depth
from cumulet.services.bedrock.model import About, Answer, Ask, Json, Piece


class Chunks(Protocol):
    """Makes the chunks of one streamed answer."""

    def feed(self, piece: Piece) -> list[Json]:
        """The chunks of one piece."""
        ...


class Family(Protocol):
    """How a family of models is asked and answers. Each of its files is one."""

    def read(self, body: Json) -> Ask:
        """What a body asks. Raises ValidationException."""
        ...

    def write(self, answer: Answer, about: About) -> Json:
        """The body of a whole answer."""
        ...

    def stream(self, about: About) -> Chunks:
        """For a streamed answer."""
        ...


_FAMILIES: tuple[tuple[str, ModuleType], ...] = (
    ("anthropic.", anthropic),
    ("amazon.nova", nova),
    ("amazon.titan-text", titan),
    ("meta.llama", llama),
    ("mistral.", mistral),
)


def family_of(model_id: str) -> Family:
    """The family of a model. Raises ValidationException when its bodies are not understood."""
    for prefix, module in _FAMILIES:
        if model_id.startswith(prefix):
            return cast(Family, module)
    raise ValidationException(
        f"Cumulet does not know the bodies of {model_id}: InvokeModel understands those of "
        "Anthropic's, Amazon's Nova and Titan Text, Meta's Llama and Mistral's models. "
        "Converse has one form for all."
    )


def read_body(family: Family, body: bytes) -> tuple[Family, Ask]:
    """What a body asks, and the form of its answer, which Mistral's models have two of.

    Raises ValidationException.
    """
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError) as cause:
        raise ValidationException(
            "Malformed input request, please reformat your input and try again: it is not JSON."
        ) from cause
    if not isinstance(document, dict):
        raise ValidationException(
            "Malformed input request: #: expected type: JSONObject, please reformat your input and "
            "try again."
        )
    check_depth(document)
    if family is mistral and "messages" in document:
        family = cast(Family, mistral_chat)
    return family, family.read(document)
