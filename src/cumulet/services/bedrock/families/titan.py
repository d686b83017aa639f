"""Amazon Titan Text.

Follows https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-text.html
"""

from __future__ import annotations

from cumulet.services.bedrock.conversation import check_stops
from cumulet.services.bedrock.families.fields import (
    check_known,
    list_field,
    number_field,
    object_field,
    text_field,
    whole_field,
)
from cumulet.services.bedrock.families.prompts import turns_of
from cumulet.services.bedrock.model import About, Answer, Ask, End, Json, Piece, Text

_REASONS = {
    "end_turn": "FINISH",
    "max_tokens": "LENGTH",
    "stop_sequence": "STOP_CRITERIA_MET",
    "content_filtered": "CONTENT_FILTERED",
}


def read(body: Json) -> Ask:
    """What a body asks. Raises ValidationException."""
    check_known(body, ("inputText", "textGenerationConfig"))
    config = object_field(body, "textGenerationConfig")
    known = ("temperature", "topP", "maxTokenCount", "stopSequences")
    check_known(config, known, "#/textGenerationConfig")
    stops = tuple(list_field(config, "stopSequences"))
    check_stops(stops)
    return Ask(
        messages=turns_of(text_field(body, "inputText", needed=True)),
        max_tokens=whole_field(config, "maxTokenCount"),
        temperature=number_field(config, "temperature"),
        top_p=number_field(config, "topP"),
        stops=stops,
    )


def _reason(end: End) -> str:
    return _REASONS.get(end.reason, "FINISH")


def write(answer: Answer, about: About) -> Json:
    """The body of a whole answer."""
    result = {
        "tokenCount": answer.end.usage.output_tokens,
        "outputText": answer.text,
        "completionReason": _reason(answer.end),
    }
    return {"inputTextTokenCount": answer.end.usage.input_tokens, "results": [result]}


class _Chunks:
    def feed(self, piece: Piece) -> list[Json]:
        chunk: Json = {"outputText": "", "index": 0, "totalOutputTextTokenCount": None}
        chunk |= {"completionReason": None, "inputTextTokenCount": None}
        if isinstance(piece, Text):
            return [{**chunk, "outputText": piece.text}]
        if not isinstance(piece, End):
            return []
        usage = piece.usage
        chunk |= {"totalOutputTextTokenCount": usage.output_tokens}
        chunk |= {"inputTextTokenCount": usage.input_tokens, "completionReason": _reason(piece)}
        return [chunk]


def stream(about: About) -> _Chunks:
    """For a streamed answer."""
    return _Chunks()
