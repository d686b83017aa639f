"""Sign-in to the console: one-time codes that stand in links, and the sessions they are worth.

A code is good once and for some minutes, and known to this process alone: a link that was printed
is worth nothing after it was followed, or after a restart. A session is temporary credentials like
those of `GetSessionToken`, which the browser signs with; nothing is kept of it here.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from typing import NamedTuple

from cumulet.core.clock import Clock, iso_time
from cumulet.core.errors import AccessDenied
from cumulet.core.identity import Principal
from cumulet.kit.ports import Sealer
from cumulet.services.iam import Session, new_session

CODE_SECONDS = 900.0
CODES_MAX = 1_000
SESSION_SECONDS = 43_200
"""Twelve hours, as a session of AWS's console lasts.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html"""
_CODE_BYTES = 24


class _Promise(NamedTuple):
    caller: Principal
    expires_at: float


class Codes:
    """Codes that were given out and not used yet. The oldest are forgotten past `CODES_MAX`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: OrderedDict[str, _Promise] = OrderedDict()

    def give(self, caller: Principal) -> str:
        """A new code for a session of this caller. Raises AccessDenied for a session's own."""
        check_long_term(caller)
        code = self._clock.random_bytes(_CODE_BYTES).hex()
        self._open[code] = _Promise(caller, self._clock.now() + CODE_SECONDS)
        while len(self._open) > CODES_MAX:
            self._open.popitem(last=False)
        return code

    def take(self, code: str) -> Principal | None:
        """Who the code was given to, the first time it is shown and while it holds."""
        promise = self._open.pop(code, None)
        if promise is None or promise.expires_at <= self._clock.now():
            return None
        return promise.caller


def check_long_term(caller: Principal) -> None:
    """Raise AccessDenied when the caller is a session: it could be renewed for ever."""
    if caller.kind not in ("root", "user") or caller.access_key_id.startswith("ASIA"):
        raise AccessDenied("Sign in with the key of a user or of the account's root")


def open_session(sealer: Sealer, clock: Clock, caller: Principal) -> Session:
    """Credentials for one stay in the console. Raises AccessDenied."""
    check_long_term(caller)
    context = {"aws:TokenIssueTime": iso_time(clock.now())}
    return new_session(sealer, clock, SESSION_SECONDS, dataclasses.replace(caller, context=context))
