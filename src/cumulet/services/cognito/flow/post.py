"""Messages to users, and the codes in them."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.errors import (
    CodeMismatchException,
    ExpiredCodeException,
    InvalidLambdaResponseException,
    InvalidParameterException,
    LimitExceededException,
)
from cumulet.services.cognito.flow import triggers
from cumulet.services.cognito.flow.outgoing.queue import Outgoing
from cumulet.services.cognito.flow.place import Place
from cumulet.services.cognito.limits import (
    CODE_SECONDS,
    CODE_TRIES_MAX,
    CODES_SENT_MAX,
    CODES_WINDOW_SECONDS,
    RESET_CODE_SECONDS,
)
from cumulet.services.cognito.model import UNNAMED_SENDER, Code, Mail, User, new_digits
from cumulet.services.cognito.rules.words import CODE, USER, filled, hidden, letter_of, with_link

CONFIRM = "confirm"
RESET = "reset"
VERIFY = "verify:"
_PURPOSE = "cognito-code"
_LINKED = ("CustomMessage_SignUp", "CustomMessage_ResendCode")
_ATTEMPTS = "Attempt limit exceeded, please try after some time."


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes: the attribute it is from, and its value."""

    attribute: str
    value: str

    @property
    def medium(self) -> str:
        """`EMAIL` or `SMS`."""
        return "SMS" if self.attribute == "phone_number" else "EMAIL"

    def details(self) -> dict[str, str]:
        """The `CodeDeliveryDetails`."""
        return {
            "Destination": hidden(self.attribute, self.value),
            "DeliveryMedium": self.medium,
            "AttributeName": self.attribute,
        }


async def deliver(place: Place, user: User, address: Address, source: str, code: str) -> None:
    """Write the message and send it; a trigger may write other words."""
    source = f"CustomMessage_{source}"
    letter = letter_of(place.pool.settings, source)
    is_invitation = source == "CustomMessage_AdminCreateUser"
    said = await triggers.fire(
        place,
        "CustomMessage",
        source.removeprefix("CustomMessage_"),
        user.name,
        {
            "userAttributes": triggers.seen_attributes(user),
            "codeParameter": CODE,
            "usernameParameter": USER if is_invitation else None,
            "clientMetadata": dict(place.metadata),
        },
        {"smsMessage": None, "emailMessage": None, "emailSubject": None},
    )
    is_text = address.medium == "SMS"
    given = (said or {}).get("smsMessage" if is_text else "emailMessage")
    body = given or (letter.sms if is_text else letter.email)
    link = "" if is_text or given else await _link(place, user, source, code)
    if not isinstance(body, str) or CODE not in body:
        raise InvalidLambdaResponseException(f"The message of CustomMessage must contain {CODE}.")
    subject = "" if is_text else str((said or {}).get("emailSubject") or letter.subject)
    if link:
        subject, body = with_link(place.pool.settings, link)
    sender = place.pool.settings.get("EmailConfiguration", {})
    clock = place.ctx.clock
    mail = Mail(
        id=new_uuid(clock),
        sent_at=clock.now(),
        medium=address.medium,
        to=address.value,
        sender="" if is_text else _sender(sender),
        subject=filled(subject, code, user.name),
        body=filled(body, code, user.name),
        pool=place.pool.id,
        user=user.name,
        reply_to="" if is_text else str(sender.get("ReplyToEmailAddress", "")),
    )
    await place.ctx.transact(place.ctx.need(Outgoing).put, mail)


async def _link(place: Place, user: User, source: str, code: str) -> str:
    """The link that confirms an account, where the pool wants one and has a domain; else ""."""
    option = place.pool.settings["VerificationMessageTemplate"]["DefaultEmailOption"]
    if option != "CONFIRM_WITH_LINK" or source not in _LINKED or place.client is None:
        return ""
    domain = await place.ctx.transact(store.domain_of, place.pool.id)
    if domain is None:
        raise InvalidParameterException("CONFIRM_WITH_LINK needs a domain for the user pool.")
    query = {"client_id": place.client.id, "user_name": user.name, "confirmation_code": code}
    return f"{place.ctx.endpoint}/_cognito/{domain.name}/confirmUser?{urlencode(query)}"


def _sender(settings: Mapping[str, Any]) -> str:
    arn = str(settings.get("SourceArn", ""))
    return str(settings.get("From") or arn.rpartition("identity/")[2] or UNNAMED_SENDER)


async def send_code(
    place: Place, user: User, address: Address, purpose: str, source: str
) -> dict[str, str]:
    """Send a fresh code, which makes earlier ones for the purpose worthless.

    Raises LimitExceededException when too many were sent.
    """
    clock = place.ctx.clock
    digits, now = new_digits(clock), clock.now()
    life = RESET_CODE_SECONDS if purpose == RESET else CODE_SECONDS
    code = Code(
        pool=place.pool.id,
        user=user.key,
        purpose=purpose,
        sealed=place.sealer.seal(digits.encode(), _PURPOSE),
        expires_at=now + life,
        attribute=address.attribute,
        value=address.value,
        window=now,
        client=place.client.id if place.client is not None else "",
    )
    if not await place.ctx.transact(_keep_code, code, now):
        raise LimitExceededException(_ATTEMPTS)
    await deliver(place, user, address, source, digits)
    return address.details()


async def _keep_code(tx: Transaction, scope: Scope, code: Code, now: float) -> bool:
    old = await store.CODES.load(tx, scope, code.pool, code.user, code.purpose)
    if old is not None and now - old.window < CODES_WINDOW_SECONDS:
        if old.sent >= CODES_SENT_MAX:
            return False
        # Tries count over all codes of an hour: asking for another does not buy guesses.
        code = msgspec.structs.replace(
            code, sent=old.sent + 1, window=old.window, tries=max(0, old.tries - 1)
        )
    await store.CODES.save(tx, scope, code)
    return True


async def check_code(place: Place, user: User, purpose: str, given: str) -> Code:
    """The code, when what was typed is it. A right one is spent.

    Raises CodeMismatchException, ExpiredCodeException or LimitExceededException.
    """
    ctx = place.ctx
    code = await ctx.transact(_tried, place.pool.id, user.key, purpose)
    if code is None:
        raise ExpiredCodeException("Invalid code provided, please request a code again.")
    if code.tries > CODE_TRIES_MAX:
        raise LimitExceededException(_ATTEMPTS)
    if code.expires_at <= ctx.clock.now():
        raise ExpiredCodeException("Invalid code provided, please request a code again.")
    wanted = place.sealer.unseal(code.sealed, _PURPOSE)
    if not hmac.compare_digest(wanted, given.encode()):
        raise CodeMismatchException("Invalid verification code provided, please try again.")
    if not await ctx.transact(_spend, code):
        raise ExpiredCodeException("Invalid code provided, please request a code again.")
    return code


async def _tried(tx: Transaction, scope: Scope, pool: str, user: str, purpose: str) -> Code | None:
    code = await store.CODES.load(tx, scope, pool, user, purpose)
    if code is None:
        return None
    changed = msgspec.structs.replace(code, tries=code.tries + 1)
    if code.tries <= CODE_TRIES_MAX:
        await store.CODES.save(tx, scope, changed)
    return changed


async def _spend(tx: Transaction, scope: Scope, code: Code) -> bool:
    kept = await store.CODES.load(tx, scope, code.pool, code.user, code.purpose)
    if kept is None or kept.sealed != code.sealed:
        return False
    await store.CODES.drop(tx, scope, code.pool, code.user, code.purpose)
    return True


def reachable(place: Place, user: User, *, verified: bool) -> Address | None:
    """Where codes for an account go: what the pool verifies, the number before the address.

    With `verified`, only what the user has proved to have counts.
    """
    wanted: tuple[str, ...] = ("phone_number", "email")
    if not verified:
        automatic = place.pool.settings.get("AutoVerifiedAttributes", ())
        wanted = tuple(name for name in wanted if name in automatic)
    for name in wanted:
        value = user.attributes.get(name)
        proved = user.attributes.get(f"{name}_verified") == "true"
        if value and (proved or not verified):
            return Address(name, value)
    return None


def proved(user: User, code: Code) -> dict[str, str]:
    """The user's attributes with what a code proves: the address that it was sent to, if kept."""
    if user.attributes.get(code.attribute) != code.value:
        return user.attributes
    return {**user.attributes, f"{code.attribute}_verified": "true"}
