"""Stopping an environment's processes between events, and other signals to all of them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

from cumulet.sandbox.links.deadline import Deadline

FREEZE_AFTER_SECONDS = 0.1
"""An event that follows within this time finds its environment awake: two signals saved.

A function in steady use is so never stopped; one that waits runs on no longer than this."""
_PROCESS_GROUP = 4
"""PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9."""


class Freezer:
    """Holds the function's pidfd; without one there is nobody to signal."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, is_idle: Callable[[], bool], *, enabled: bool
    ) -> None:
        self._is_idle = is_idle
        self._enabled = enabled
        self._frozen = False
        self._fd = -1
        self._group_signals = True
        self._deadline = Deadline(loop, self._freeze)

    def hold(self, fd: int) -> None:
        """This is the function's pidfd; it is closed by `close`."""
        self._fd = fd

    def rest(self) -> None:
        """Stop the function's processes until the next event, unless it follows at once."""
        if self._enabled and not self._frozen:
            self._deadline.set(FREEZE_AFTER_SECONDS)

    def _freeze(self) -> None:
        if self._is_idle():
            self._frozen = self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let the function's processes go on."""
        if self._frozen:
            self._frozen = False
            self.signal(signal.SIGCONT)

    def signal(self, number: signal.Signals) -> bool:
        """Signal the function's process group, or its first process on older kernels."""
        if self._fd < 0:
            return False
        try:
            flags = _PROCESS_GROUP if self._group_signals else 0
            signal.pidfd_send_signal(self._fd, number, None, flags)
        except ProcessLookupError:
            return False
        except OSError:
            if not self._group_signals:
                return False
            self._group_signals = False
            return self.signal(number)
        return True

    def close(self) -> None:
        """Give the pidfd back; whoever is stopped is let go on before."""
        self.thaw()
        self._deadline.stop()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
