"""Which model answers to which identifier; holds the providers, and ends them with the cloud.

Follows https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html for model ids,
https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html for profiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cumulet.core.clock import Clock
from cumulet.core.identity import PARTITION, parse_arn
from cumulet.services.bedrock.configuration import Entry
from cumulet.services.bedrock.errors import ResourceNotFoundException
from cumulet.services.bedrock.providers.contract import Provider
from cumulet.services.bedrock.providers.embedded import Embedded
from cumulet.services.bedrock.providers.gate import Gate
from cumulet.services.bedrock.providers.openai import OpenAiServer

PROFILE_PREFIXES = ("us", "us-gov", "eu", "apac", "jp", "au", "ca", "global")
_PROFILES = {"us": "us", "eu": "eu", "ap": "apac", "us-gov": "us-gov"}


@dataclass(frozen=True, slots=True)
class Named:
    """What a caller's model identifier says: a model, by itself or through an inference profile."""

    model_id: str
    profile_id: str = ""

    @property
    def vendor(self) -> str:
        """Who made the model, as in `anthropic`."""
        return self.model_id.partition(".")[0]


def read_identifier(identifier: str) -> Named:
    """The model of an id, of a profile's id, or of an ARN of either."""
    arn = parse_arn(identifier)
    text = identifier
    if arn is not None and arn.service == "bedrock":
        kind, _, text = arn.resource.partition("/")
        if kind not in ("foundation-model", "inference-profile"):
            raise ResourceNotFoundException(
                f"Cumulet has foundation models and inference profiles; {identifier} is neither."
            )
    prefix, _, rest = text.partition(".")
    if prefix in PROFILE_PREFIXES and "." in rest:
        return Named(rest, text)
    return Named(text)


def model_arn(region: str, model_id: str) -> str:
    """The ARN of a foundation model, which belongs to no account."""
    return f"arn:{PARTITION}:bedrock:{region}::foundation-model/{model_id}"


def profile_prefix(region: str) -> str:
    """How the ids of a region's own profiles begin."""
    area = "us-gov" if region.startswith("us-gov-") else region.partition("-")[0]
    return _PROFILES.get(area, "global")


@dataclass(frozen=True, slots=True)
class Served:
    """A model that can be asked."""

    entry: Entry
    provider: Provider
    gate: Gate


class Registry:
    """The models of this cloud, in the order of the models file."""

    def __init__(self, entries: Sequence[Entry], clock: Clock) -> None:
        self.entries = tuple(entries)
        self._providers: dict[tuple[object, ...], Provider] = {}
        self._served = [Served(one, self._provider(one, clock), _gate(one)) for one in entries]

    def _provider(self, entry: Entry, clock: Clock) -> Provider:
        if entry.provider == "openai":
            provider: Provider = OpenAiServer(entry, clock)
            self._providers[entry.id,] = provider
            return provider
        # Ids that mean the same file under the same limits share one engine.
        key = (
            *(entry.file, entry.threads, entry.memory_mb, entry.context_tokens),
            *(entry.concurrency, entry.timeout_seconds),
        )
        return self._providers.setdefault(key, Embedded(entry, clock))

    def find(self, identifier: str) -> Served:
        """Who answers to the identifier: an exact id before a pattern, else the first that fits.

        Raises ResourceNotFoundException.
        """
        model_id = read_identifier(identifier).model_id
        for wants_pattern in (False, True):
            for served in self._served:
                if served.entry.is_pattern is wants_pattern and served.entry.fits(model_id):
                    return served
        raise ResourceNotFoundException(
            f"Could not resolve the foundation model from the provided model identifier: nothing "
            f"runs {model_id} here. Give it an entry in models.toml of the data folder, or in the "
            "file that `cumulet up --models` names."
        )

    async def start(self) -> None:
        """Nothing is started before it is asked for."""

    async def stop(self) -> None:
        """End the engines."""
        for provider in self._providers.values():
            await provider.stop()


def _gate(entry: Entry) -> Gate:
    return Gate(entry.concurrency, entry.queue)
