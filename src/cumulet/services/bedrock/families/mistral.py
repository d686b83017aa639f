"""Mistral's models, asked with a prompt; `mistral_chat.py` has the other form.

Follows https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html
"""

from __future__ import annotations

from cumulet.services.bedrock.conversation import check_stops
from cumulet.services.bedrock.families.fields import (
    check_known,
    list_field,
    number_field,
    text_field,
    whole_field,
)
from cumulet.services.bedrock.families.prompts import turns_of
from cumulet.services.bedrock.model import About, Answer, Ask, End, Json, Piece, Text


def read(body: Json) -> Ask:
    """What a body asks. Raises ValidationException."""
    check_known(body, ("prompt", "max_tokens", "stop", "temperature", "top_p", "top_k"))
    stops = tuple(list_field(body, "stop"))
    check_stops(stops)
    return Ask(
        messages=turns_of(text_field(body, "prompt", needed=True)),
        max_tokens=whole_field(body, "max_tokens"),
        temperature=number_field(body, "temperature"),
        top_p=number_field(body, "top_p"),
        top_k=whole_field(body, "top_k", 0),
        stops=stops,
    )


def _told(text: str, reason: str | None) -> Json:
    return {"outputs": [{"text": text, "stop_reason": reason}]}


def _reason(end: End) -> str:
    return "length" if end.reason == "max_tokens" else "stop"


def write(answer: Answer, about: About) -> Json:
    """The body of a whole answer."""
    return _told(answer.text, _reason(answer.end))


class _Chunks:
    def feed(self, piece: Piece) -> list[Json]:
        if isinstance(piece, Text):
            return [_told(piece.text, None)]
        return [_told("", _reason(piece))] if isinstance(piece, End) else []


def stream(about: About) -> _Chunks:
    """For a streamed answer."""
    return _Chunks()
