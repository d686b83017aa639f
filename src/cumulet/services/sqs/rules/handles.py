"""Receipt handles: which message of which queue, and by which receive."""

from __future__ import annotations

import base64
import binascii
import struct

from cumulet.services.sqs.errors import ReceiptHandleIsInvalid
from cumulet.services.sqs.model import Handle

RECEIPT_BYTES = 9
_MARK = b"q1"


def write_handle(queue_uid: str, sequence: int, receipt: bytes) -> str:
    """The text that a receiver is given."""
    head = _MARK + struct.pack(">Q", sequence) + receipt
    return base64.b64encode(head + queue_uid.encode()).decode()


def read_handle(text: str, queue_uid: str) -> Handle:
    """What a handle says. Raises ReceiptHandleIsInvalid when this queue did not give it."""
    try:
        raw = base64.b64decode(text, validate=True)
        sequence = struct.unpack(">Q", raw[2:10])[0]
        uid = raw[10 + RECEIPT_BYTES :].decode()
    except (binascii.Error, ValueError, struct.error):
        raise _invalid(text) from None
    if raw[:2] != _MARK or uid != queue_uid:
        raise _invalid(text)
    return Handle(uid, sequence, raw[10 : 10 + RECEIPT_BYTES])


def _invalid(text: str) -> ReceiptHandleIsInvalid:
    return ReceiptHandleIsInvalid(
        f'The input receipt handle "{text}" is not a valid receipt handle.'
    )
