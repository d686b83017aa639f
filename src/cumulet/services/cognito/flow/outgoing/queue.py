"""Messages on their way to the SMTP server: queued with what causes them, tried for two days."""

from __future__ import annotations

import logging

import msgspec

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.core.trace import log_line
from cumulet.kit.workers.deliveries import Deliveries, Draft, Job, Later, Load
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.errors import CodeDeliveryFailureException
from cumulet.services.cognito.flow.outgoing.server import MailRoute
from cumulet.services.cognito.flow.outgoing.smtp import NotTaken, send
from cumulet.services.cognito.limits import (
    SMTP_GIVE_UP_SECONDS,
    SMTP_WAIT_SECONDS_MAX,
    SMTP_WAIT_SECONDS_MIN,
)
from cumulet.services.cognito.model import UNNAMED_SENDER, Mail

_LANE = "smtp"


class Outgoing(Deliveries):
    """Carries messages to the SMTP server, when there is one."""

    def __init__(self, platform: Platform) -> None:
        async def carry(job: Job, data: bytes) -> Later | None:
            return await _carry(platform, job)

        super().__init__(platform, store.QUEUE, carry)

    @property
    def takes(self) -> bool:
        """Whether messages leave this machine."""
        return self._platform.need(MailRoute).server is not None

    async def put(self, tx: Transaction, scope: Scope, mail: Mail) -> None:
        """Keep a message in the mailbox, and queue it when it is for a mail server.

        Raises CodeDeliveryFailureException when too many wait; then nothing is kept.
        """
        if not self.takes or mail.medium != "EMAIL":
            await store.MAILS.save(tx, scope, mail)
            return
        await store.MAILS.save(tx, scope, msgspec.structs.replace(mail, relay="waiting"))
        task = {"sent_at": mail.sent_at, "id": mail.id}
        load = Load(mail.id, b"", (Draft(_LANE, task),), mail.sent_at, self.next_sequence())
        if await store.QUEUE.add(tx, scope, load):
            raise CodeDeliveryFailureException("Too many messages wait for the SMTP server.")


async def _carry(platform: Platform, job: Job) -> Later | None:
    """One attempt. A message that is refused for good is given up, and says why."""
    # Most clouds send nothing: what writes letters is loaded with the first.
    from cumulet.services.cognito.flow.outgoing.letters import address_of, written

    server = platform.need(MailRoute).server
    at = (job.task["sent_at"], job.task["id"])
    mail = await platform.transact(_load, job.scope, *at)
    if mail is None:
        return None
    if server is None:
        # A cloud that was started without the setting sends nothing; one with it goes on.
        return Later(SMTP_WAIT_SECONDS_MAX) if _has_time(platform, job) else None
    sender = server.sender if mail.sender == UNNAMED_SENDER and server.sender else mail.sender
    try:
        await send(server, address_of(sender), mail.to, written(mail, sender))
    except NotTaken as refusal:
        later = refusal.passes and _has_time(platform, job)
        told = f"{'not yet' if later else 'failed'}: {refusal}"
        await platform.transact(_tell, job.scope, at, told)
        log_line(logging.WARNING, "mail not taken", to=mail.to, reason=str(refusal), again=later)
        wait = SMTP_WAIT_SECONDS_MIN * 2.0 ** min(job.attempts, 20)
        return Later(min(wait, SMTP_WAIT_SECONDS_MAX)) if later else None
    await platform.transact(_tell, job.scope, at, "sent")
    return None


def _has_time(platform: Platform, job: Job) -> bool:
    return platform.clock.now() - job.made < SMTP_GIVE_UP_SECONDS


async def _load(tx: Transaction, scope: Scope, sent_at: float, id: str) -> Mail | None:
    return await store.MAILS.load(tx, scope, sent_at, id)


async def _tell(tx: Transaction, scope: Scope, at: tuple[float, str], relay: str) -> None:
    mail = await store.MAILS.load(tx, scope, *at)
    if mail is not None:
        await store.MAILS.save(tx, scope, msgspec.structs.replace(mail, relay=relay))


async def deliver(platform: Platform) -> float:
    """The worker's unit: begin what is due."""
    return await platform.need(Outgoing).step()
