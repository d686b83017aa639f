"""Prompts that hold a conversation in a model's own template, read as the turns they are.

The model that answers has a template of its own; the marks of another would only confuse it.
Follows https://www.llama.com/docs/model-cards-and-prompt-formats/ for Llama's marks, and
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html
for `[INST]`. A text without marks is one turn of the user's, and so is Titan's.
"""

from __future__ import annotations

import re

from cumulet.services.bedrock.errors import ValidationException
from cumulet.services.bedrock.model import Json

_HEADER = "<|start_header_id|>"
_TURN = re.compile(
    r"<\|start_header_id\|>\s*(system|user|assistant)\s*<\|end_header_id\|>"
    r"(.*?)(?=<\|start_header_id\|>|\Z)",
    re.DOTALL,
)
_ENDS = re.compile(r"<\|(?:eot_id|eom_id|end_of_text|begin_of_text)\|>")
_SYSTEM = re.compile(r"\A\s*<<SYS>>(.*?)<</SYS>>", re.DOTALL)


def turns_of(prompt: str) -> tuple[Json, ...]:
    """The turns of a prompt. Raises ValidationException when there is nothing in it."""
    if _HEADER in prompt:
        turns = [
            {"role": role, "content": _ENDS.sub("", text).strip()}
            for role, text in _TURN.findall(prompt)
        ]
    elif "[INST]" in prompt:
        turns = _instructions(prompt)
    else:
        turns = [{"role": "user", "content": prompt}]
    kept = tuple(turn for turn in turns if turn["content"].strip())
    if not kept:
        raise ValidationException("The prompt is empty.")
    return kept


def _instructions(prompt: str) -> list[Json]:
    turns: list[Json] = []
    before, *rounds = prompt.replace("<s>", "").split("[INST]")
    if before.strip():
        turns.append({"role": "system", "content": before.strip()})
    for one in rounds:
        asked, _, answered = one.partition("[/INST]")
        system = _SYSTEM.match(asked)
        if system is not None:
            turns.append({"role": "system", "content": system[1].strip()})
            asked = asked[system.end() :]
        turns.append({"role": "user", "content": asked.strip()})
        turns.append({"role": "assistant", "content": answered.replace("</s>", "").strip()})
    return turns
