"""Any server that speaks OpenAI's chat completions, found by its URL."""

from __future__ import annotations

from cumulet.core.clock import Clock, new_label
from cumulet.services.bedrock.configuration import Entry
from cumulet.services.bedrock.errors import ValidationException
from cumulet.services.bedrock.model import Ask
from cumulet.services.bedrock.providers.chat_server import Streaming, begin, count
from cumulet.services.bedrock.providers.exchange import parse_address


class OpenAiServer:
    """One model of one server."""

    def __init__(self, entry: Entry, clock: Clock) -> None:
        self._entry = entry
        self._clock = clock
        self._address = parse_address(entry.url)

    @property
    def takes_images(self) -> bool:
        """What the models file says of it."""
        return self._entry.images

    def _name(self) -> str:
        return self._entry.name or self._entry.id

    async def begin(self, ask: Ask) -> Streaming:
        """Ask the server. Raises AwsError."""
        return await begin(
            self._address,
            ask,
            name=self._name(),
            key=self._entry.key,
            timeout_seconds=self._entry.timeout_seconds,
            finds_stops=False,
            make_id=lambda: f"tooluse_{new_label(self._clock, 22)}",
        )

    async def count(self, ask: Ask) -> int:
        """Ask the server to count, which few can. Raises AwsError."""
        if not self._entry.count_tokens:
            raise ValidationException("The provided model doesn't support counting tokens.")
        return await count(
            self._address,
            ask,
            name=self._name(),
            key=self._entry.key,
            timeout_seconds=self._entry.timeout_seconds,
        )

    async def stop(self) -> None:
        """Nothing of ours runs."""
