"""What a provider is: something that can be asked, and that ends with the cloud."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from cumulet.services.bedrock.model import Ask, Piece


class Answering(Protocol):
    """An answer that has begun."""

    def pieces(self) -> AsyncIterator[Piece]:
        """Its pieces as they come, the last of them an `End`. Raises AwsError."""
        ...

    def close(self) -> None:
        """End it, at any time and as often as one likes; the engine then stops working on it."""
        ...


class Provider(Protocol):
    """An engine that runs one model."""

    @property
    def takes_images(self) -> bool:
        """Whether the model can look at pictures."""
        ...

    async def begin(self, ask: Ask) -> Answering:
        """Ask; returns once the engine has taken the request. Raises AwsError."""
        ...

    async def count(self, ask: Ask) -> int:
        """How many tokens the request has for this model. Raises AwsError."""
        ...

    async def stop(self) -> None:
        """End whatever runs."""
        ...
