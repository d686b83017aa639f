"""XML as text: a parser that refuses what AWS's refuse, and escaping."""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from cumulet.core.errors import MalformedRequest

XML_DEPTH_MAX = 100
"""Nesting that a document may have. The deepest input of S3 has about ten levels."""

_SPECIAL = re.compile(r"[&<>\"\r\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


class MalformedXml(MalformedRequest):
    """The body is not well-formed XML, or not one that is taken."""


class _BoundedBuilder(TreeBuilder):
    """Builds the tree; refuses document types (and with them all entities) and deep nesting."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def start(self, tag: str, attrs: Any) -> Element:
        self._depth += 1
        if self._depth > XML_DEPTH_MAX:
            raise MalformedXml("The XML document is nested too deeply")
        return super().start(tag, attrs)

    def end(self, tag: str) -> Element:
        self._depth -= 1
        return super().end(tag)

    def doctype(self, name: str, public_id: str | None, system: str | None) -> None:
        raise MalformedXml("The XML document must not contain a document type declaration")


NOT_BY_SCHEMA = (
    "The XML you provided was not well-formed or did not validate against our published schema"
)


def parse_xml(body: bytes) -> Element:
    """The root element. Raises MalformedXml."""
    parser = XMLParser(target=_BoundedBuilder(), encoding="utf-8")
    try:
        parser.feed(body)
        root: Element = parser.close()
    except (ParseError, ValueError, LookupError) as cause:
        raise MalformedXml(NOT_BY_SCHEMA) from cause
    return root


def local_name(tag: str) -> str:
    """An element's name without its namespace."""
    return tag.rpartition("}")[2] if tag[0] == "{" else tag


def escape(text: str) -> str:
    """Text for an element or attribute; characters that XML lacks become references, as S3's do."""
    return _SPECIAL.sub(_escape_one, text) if _SPECIAL.search(text) else text


def _escape_one(found: re.Match[str]) -> str:
    character = found.group()
    return _ENTITIES.get(character) or f"&#x{ord(character):x};"
