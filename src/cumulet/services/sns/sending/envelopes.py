"""Envelopes: what receivers get when they do not take messages raw."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from cumulet.core.clock import iso_time
from cumulet.core.context import Platform
from cumulet.services.sns.model import Message
from cumulet.services.sns.rules.messages import shown_attributes, signed_text
from cumulet.services.sns.sending.signing import PATH, Signer


def confirm_url(platform: Platform, topic: str, token: str) -> str:
    """The address whose visit confirms a subscription."""
    asked = {"Action": "ConfirmSubscription", "TopicArn": topic, "Token": token}
    return f"{platform.endpoint}{PATH}?{urlencode(asked)}"


def unsubscribe_url(platform: Platform, subscription: str) -> str:
    """The address whose visit ends a subscription."""
    asked = {"Action": "Unsubscribe", "SubscriptionArn": subscription}
    return f"{platform.endpoint}{PATH}?{urlencode(asked)}"


async def envelope(platform: Platform, message: Message, text: str, subscription: str) -> str:
    """A notification, or a question whether somebody wants them, as JSON."""
    shown: dict[str, Any] = {"Type": message.kind, "MessageId": message.id}
    link = ""
    if message.kind == "Notification":
        if message.sequence:
            shown["SequenceNumber"] = message.sequence
    else:
        shown["Token"] = message.token
        link = confirm_url(platform, message.topic_arn, message.token)
    shown["TopicArn"] = message.topic_arn
    if message.subject:
        shown["Subject"] = message.subject
    shown["Message"] = text
    if link:
        shown["SubscribeURL"] = link
    shown["Timestamp"] = iso_time(message.published_at)
    # Messages of FIFO topics carry no signature.
    if not message.sequence:
        signer = platform.need(Signer)
        version = message.signature_version
        shown["SignatureVersion"] = version
        shown["Signature"] = await signer.sign(version, signed_text(message, text, link))
        shown["SigningCertURL"] = await signer.url()
    if message.kind == "Notification":
        shown["UnsubscribeURL"] = unsubscribe_url(platform, subscription)
        if message.attributes:
            shown["MessageAttributes"] = shown_attributes(message)
    return json.dumps(shown)


async def lambda_event(platform: Platform, message: Message, subscription: str) -> bytes:
    """The event that a function gets.

    https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
    """
    text = message.text_for("lambda")
    signer = platform.need(Signer)
    version = message.signature_version
    notice = {
        "SignatureVersion": version,
        "Timestamp": iso_time(message.published_at),
        "Signature": await signer.sign(version, signed_text(message, text, "")),
        "SigningCertUrl": await signer.url(),
        "MessageId": message.id,
        "Message": text,
        "MessageAttributes": shown_attributes(message),
        "Type": message.kind,
        "UnsubscribeUrl": unsubscribe_url(platform, subscription),
        "TopicArn": message.topic_arn,
        "Subject": message.subject or None,
    }
    record = {
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription,
        "EventSource": "aws:sns",
        "Sns": notice,
    }
    return json.dumps({"Records": [record]}).encode()
