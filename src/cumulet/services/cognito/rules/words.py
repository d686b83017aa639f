"""What messages to users say: a pool's templates with their placeholders filled. Pure.

https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-settings-message-customizations.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

CODE = "{####}"
USER = "{username}"
_VERIFY = "Your verification code is {####}."
_CONFIRM = "Your confirmation code is {####}"
_INVITE = "Your username is {username} and temporary password is {####}."
_LINK = re.compile(r"\{##(.*?)##\}", re.DOTALL)
_SIGN_IN = "Your authentication code is {####}."


@dataclass(frozen=True, slots=True)
class Letter:
    """The words of a message, with placeholders. `source` is the trigger's for these words."""

    source: str
    sms: str
    subject: str
    email: str


def letter_of(settings: Mapping[str, Any], source: str) -> Letter:
    """The words that a pool has for the occasion."""
    if source == "CustomMessage_AdminCreateUser":
        given = settings.get("AdminCreateUserConfig", {}).get("InviteMessageTemplate", {})
        return Letter(
            source,
            given.get("SMSMessage") or _INVITE,
            given.get("EmailSubject") or "Your temporary password",
            given.get("EmailMessage") or _INVITE,
        )
    if source == "CustomMessage_Authentication":
        mail = settings.get("EmailMfaConfiguration", {})
        return Letter(
            source,
            settings.get("SmsAuthenticationMessage") or _SIGN_IN,
            mail.get("Subject") or "Your authentication code",
            mail.get("Message") or _SIGN_IN,
        )
    given = settings.get("VerificationMessageTemplate", {})
    subject = given.get("EmailSubject") or settings.get("EmailVerificationSubject")
    text = given.get("EmailMessage") or settings.get("EmailVerificationMessage")
    sms = given.get("SmsMessage") or settings.get("SmsVerificationMessage")
    if source == "CustomMessage_ForgotPassword":
        return Letter(
            source,
            sms or "Your password reset code is {####}",
            subject or "Your password reset code",
            text or "Your password reset code is {####}",
        )
    return Letter(
        source,
        sms or _CONFIRM,
        subject or "Your verification code",
        text or _VERIFY,
    )


def filled(text: str, code: str, name: str) -> str:
    """The text with code and name in their places."""
    return text.replace(CODE, code).replace(USER, name)


def with_link(settings: Mapping[str, Any], link: str) -> tuple[str, str]:
    """Subject and text of a message whose link confirms an account.

    What stands between `{##` and `##}` is what the link says.
    """
    given = settings.get("VerificationMessageTemplate", {})
    subject = given.get("EmailSubjectByLink") or "Your verification link"
    text = given.get("EmailMessageByLink") or "Please click {##Verify Email##} to verify."
    return subject, _LINK.sub(lambda found: f'<a href="{escape(link)}">{found[1]}</a>', text)


def hidden(attribute: str, value: str) -> str:
    """An address or a number as it may be shown to somebody who is not signed in."""
    if attribute == "phone_number":
        return "+" + "*" * max(len(value) - 5, 1) + value[-4:]
    local, _, domain = value.partition("@")
    return f"{local[:1]}***@{domain[:1]}***"
