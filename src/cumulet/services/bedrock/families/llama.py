"""Meta's Llama.

Follows https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html
"""

from __future__ import annotations

from cumulet.services.bedrock.families.fields import (
    check_known,
    number_field,
    text_field,
    whole_field,
)
from cumulet.services.bedrock.families.prompts import turns_of
from cumulet.services.bedrock.model import About, Answer, Ask, End, Json, Piece, Text

_MAX_TOKENS = 512
_TEMPERATURE = 0.5
_TOP_P = 0.9


def read(body: Json) -> Ask:
    """What a body asks. Raises ValidationException."""
    check_known(body, ("prompt", "max_gen_len", "temperature", "top_p"))
    temperature, top_p = number_field(body, "temperature"), number_field(body, "top_p")
    return Ask(
        messages=turns_of(text_field(body, "prompt", needed=True)),
        max_tokens=whole_field(body, "max_gen_len") or _MAX_TOKENS,
        temperature=_TEMPERATURE if temperature is None else temperature,
        top_p=_TOP_P if top_p is None else top_p,
    )


def _told(text: str, end: End | None) -> Json:
    return {
        "generation": text,
        "prompt_token_count": end.usage.input_tokens if end else None,
        "generation_token_count": end.usage.output_tokens if end else None,
        "stop_reason": _reason(end) if end else None,
    }


def _reason(end: End) -> str:
    return "length" if end.reason == "max_tokens" else "stop"


def write(answer: Answer, about: About) -> Json:
    """The body of a whole answer."""
    return _told(answer.text, answer.end)


class _Chunks:
    def feed(self, piece: Piece) -> list[Json]:
        if isinstance(piece, Text):
            return [_told(piece.text, None)]
        return [_told("", piece)] if isinstance(piece, End) else []


def stream(about: About) -> _Chunks:
    """For a streamed answer."""
    return _Chunks()
