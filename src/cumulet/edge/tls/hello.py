"""The server name in a TLS client's first message (RFC 8446 §4.1.2, RFC 6066 §3). Pure."""

from __future__ import annotations

from typing import NamedTuple

HELLO_BYTES_MAX = 65_536
"""A longer hello is not searched for a name."""

_RECORD_HEAD, _HANDSHAKE, _CLIENT_HELLO = 5, 0x16, 0x01
_RECORD_BYTES_MAX = 16_640
_NAME_EXTENSION, _HOST_NAME = 0, 0


class Hello(NamedTuple):
    """What the bytes say: the name, empty for none; or how many bytes are needed to tell."""

    server_name: str = ""
    bytes_needed: int = 0


def read_hello(data: bytes) -> Hello:
    """Search what a client sent first. Whatever is no hello has no name: TLS itself refuses it."""
    message, at = b"", 0
    while True:
        head_end = at + _RECORD_HEAD
        if len(data) < head_end:
            return Hello(bytes_needed=head_end)
        end = head_end + int.from_bytes(data[at + 3 : head_end])
        if data[at] != _HANDSHAKE or not head_end < end <= head_end + _RECORD_BYTES_MAX:
            return Hello()
        if end > HELLO_BYTES_MAX:
            return Hello()
        if len(data) < end:
            return Hello(bytes_needed=end)
        message += data[head_end:end]
        at = end
        if message[0] != _CLIENT_HELLO:
            return Hello()
        length = 4 + int.from_bytes(message[1:4])
        if len(message) >= max(4, length):
            return Hello(_server_name(message[4:length]))


def _server_name(hello: bytes) -> str:
    try:
        at = 34  # version and random value
        at += 1 + hello[at]  # session id
        at += 2 + int.from_bytes(hello[at : at + 2])  # cipher suites
        at += 1 + hello[at]  # compression methods
        at += 2  # length of the extensions, which end with the message
        while at + 4 <= len(hello):
            kind = int.from_bytes(hello[at : at + 2])
            length = int.from_bytes(hello[at + 2 : at + 4])
            if kind == _NAME_EXTENSION:
                return _host_name(hello[at + 4 : at + 4 + length])
            at += 4 + length
    except IndexError:
        pass
    return ""


def _host_name(extension: bytes) -> str:
    if len(extension) < 5 or extension[2] != _HOST_NAME:
        return ""
    length = int.from_bytes(extension[3:5])
    try:
        return extension[5 : 5 + length].decode("ascii").lower().removesuffix(".")
    except UnicodeDecodeError:
        return ""
