"""Form-encoded text: the bodies of the query protocol, and query strings everywhere."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from cumulet.core.errors import MalformedRequest

FORM_PAIRS_MAX = 20_000
"""Pairs in one body or query string. The widest real requests have a few thousand."""

KEY_DEPTH_MAX = 64
"""Parts that a key such as `A.member.1.B` may have."""


def decode_component(text: str, *, plus_is_space: bool = True) -> str:
    """One percent-encoded name or value as text. Raises MalformedRequest unless it is UTF-8."""
    if plus_is_space and "+" in text:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError as cause:
        raise MalformedRequest("The request is not valid UTF-8") from cause


def parse_pairs(text: str) -> list[tuple[str, str]]:
    """The pairs of a query string or form, in order; a name alone has the value ""."""
    if not text:
        return []
    pieces = text.split("&", FORM_PAIRS_MAX)
    if len(pieces) > FORM_PAIRS_MAX:
        raise MalformedRequest("The request has too many parameters")
    pairs = []
    for piece in pieces:
        if piece:
            name, _, value = piece.partition("=")
            if "%" in name or "+" in name:
                name = decode_component(name)
            if "%" in value or "+" in value:
                value = decode_component(value)
            pairs.append((name, value))
    return pairs


def decode_form(body: bytes) -> str:
    """The text of a form. Raises MalformedRequest unless it is UTF-8."""
    try:
        return body.decode()
    except UnicodeDecodeError as cause:
        raise MalformedRequest("The request is not valid UTF-8") from cause


Node = dict[str, "str | Node"]
"""Parameters by the parts of their keys: `A.member.1=x` is `{"A": {"member": {"1": "x"}}}`."""


def parameter_tree(pairs: list[tuple[str, str]]) -> Node:
    """The tree of dotted keys. A key that is both a value and a prefix is kept as a prefix."""
    root: Node = {}
    for key, value in pairs:
        if "." not in key:
            root.setdefault(key, value)
            continue
        parts = key.split(".", KEY_DEPTH_MAX)
        if len(parts) > KEY_DEPTH_MAX:
            raise MalformedRequest("A parameter name has too many parts")
        node = root
        for part in parts[:-1]:
            child = node.get(part)
            if type(child) is not dict:
                child = node[part] = {}
            node = child
        node.setdefault(parts[-1], value)
    return root
