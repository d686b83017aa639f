"""The cloud with nobody watching: what services measure, log, trace and count is dropped.

Run as `cumulet` is. Only `observing` starts it, to have the bare rate of the very same code.
"""

from __future__ import annotations

from typing import Any

from cumulet.cli.main import main
from cumulet.kit.dispatch import Dispatcher
from cumulet.kit.ports import LogSink, Metrics, Segments, Usage


class Nobody:
    """Takes the place of every port that is told what goes on."""

    def record(self, *_: Any) -> None: ...

    def record_all(self, *_: Any) -> None: ...

    def write(self, *_: Any) -> None: ...

    def write_all(self, *_: Any) -> None: ...

    def used(self, *_: Any) -> None: ...

    def seen(self, *_: Any) -> None: ...

    def put(self, *_: Any) -> None: ...

    def follow(self, *_: Any) -> None: ...

    def leave(self, *_: Any) -> None: ...

    def followed(self, *_: Any) -> None: ...

    async def sample(self, *_: Any) -> str:
        return ""

    async def flush(self) -> None: ...


class Unwatched(Dispatcher):
    """Gives nobody to whoever wants to tell something."""

    def provide(self, kind: type, part: Any) -> None:
        super().provide(kind, Nobody() if kind in (Metrics, LogSink, Segments, Usage) else part)


if __name__ == "__main__":
    import cumulet.app.compose

    cumulet.app.compose.Dispatcher = Unwatched
    main()
