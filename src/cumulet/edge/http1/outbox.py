"""Answers that are made in one turn of the loop, sent together at its end.

A send wakes the client's process, which takes longer than its bytes do. With many clients, answers
sent one by one pay for that each time; those sent in a row find the clients awake.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from cumulet.edge.limits import ANSWERS_TOGETHER_MAX


class Held(Protocol):
    """One client's answer that waits to be sent."""

    def send_held(self) -> None:
        """Send it now; raises nothing."""
        ...


class Outbox:
    """Whose answers wait for the end of this turn. One per server."""

    __slots__ = ("_loop", "_waiting", "_will_send", "in_hand")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[Held] = []
        self._will_send = False
        self.in_hand = 0
        """How many requests are being answered: the last of them waits for no other."""

    def add(self, held: Held) -> None:
        """Let `held` send before the next turn's work; at once when it waits for nobody."""
        self._waiting.append(held)
        if self.in_hand <= 1 or len(self._waiting) >= ANSWERS_TOGETHER_MAX:
            self._send()
        elif not self._will_send:
            self._will_send = True
            # Before all that is called soon from now on, such as the tasks of later requests.
            self._loop.call_soon(self._end_turn)

    def _end_turn(self) -> None:
        self._will_send = False
        self._send()

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        for held in waiting:
            held.send_held()
