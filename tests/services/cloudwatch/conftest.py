"""What tests of CloudWatch share: names of their own, refusals, and a platform whose time moves."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.services.events.conftest import Inside, Stand, run_inside


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def refused(call: Any, **words: Any) -> tuple[str, str]:
    """The code and message with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        call(**words)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def eventually(probe: Callable[[], Any]) -> Any:
    """What a probe answers, once it answers something."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if found := probe():
            return found
    raise AssertionError("it does not come")


@pytest.fixture
def stand(cloud: Any) -> Stand:
    return Stand(cloud)


@pytest.fixture
def inside(tmp_path: Path) -> Callable[..., None]:
    """Runs a coroutine within a platform whose clock and workers move only when told."""

    def run(story: Callable[[Inside], Awaitable[None]], start: float = 1_790_000_040.0) -> None:
        run_inside(tmp_path / "data", story, start)

    return run
