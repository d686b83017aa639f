"""Templates of prompts, as their makers document them."""

from __future__ import annotations

import pytest

from cumulet.services.bedrock.families.prompts import turns_of


def turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


@pytest.mark.parametrize(
    ("prompt", "turns"),
    [
        ("hi", [turn("user", "hi")]),
        # https://www.llama.com/docs/model-cards-and-prompt-formats/meta-llama-3/
        (
            "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe kind.<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n",
            [turn("system", "Be kind."), turn("user", "Hi")],
        ),
        # https://www.llama.com/docs/model-cards-and-prompt-formats/meta-llama-2/
        (
            "<s>[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\nHi [/INST] Hello </s><s>[INST] Bye [/INST]",
            [
                turn("system", "Be kind."),
                turn("user", "Hi"),
                turn("assistant", "Hello"),
                turn("user", "Bye"),
            ],
        ),
        # https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html
        ("<s>[INST] Hi [/INST]", [turn("user", "Hi")]),
    ],
)
def test_a_template_is_read_as_its_turns(prompt: str, turns: list[dict[str, str]]) -> None:
    assert list(turns_of(prompt)) == turns
