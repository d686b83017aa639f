"""What can be said at deployment."""

import aws_cdk as cdk
from constructs import Construct


class Parameters:
    """The stack's parameters, as tokens."""

    def __init__(self, scope: Construct):
        def number(name: str, default: int, least: int, most: int, text: str) -> int:
            made = cdk.CfnParameter(
                scope, name, type="Number", default=default, min_value=least, max_value=most,
                description=text,
            )  # fmt: skip
            return made.value_as_number

        def text(name: str, default: str, pattern: str, description: str) -> str:
            made = cdk.CfnParameter(
                scope, name, default=default, allowed_pattern=pattern, description=description
            )
            return made.value_as_string

        self.model = text(
            "ModelId", "anthropic.claude-3-haiku-20240307-v1:0", r"[A-Za-z0-9.:-]+",
            "The model of Bedrock that answers",
        )  # fmt: skip
        self.monthly_quota = number(
            "MonthlyQuota", 100, 1, 1_000_000, "Requests that a user may make in a month"
        )
        self.max_tokens = number("MaxTokens", 400, 1, 4096, "How long an answer may become")
        self.rate = number("RequestsPerSecond", 50, 1, 10_000, "What the API's stage lets in")
        self.burst = number("RequestsAtOnce", 100, 1, 5_000, "What it lets in at once")
        self.answer_seconds = number("AnswerSeconds", 120, 5, 900, "What a batch of answers takes")
        self.hidden_seconds = number(
            "HiddenSeconds", 720, 5, 43_200,
            "How long a message is hidden whose function never began; at least AnswerSeconds, "
            "better six times that",
        )  # fmt: skip
        self.lease_seconds = number(
            "LeaseSeconds", 30, 3, 300, "After how long an attempt that died is followed by another"
        )
