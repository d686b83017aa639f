"""The objects that API Gateway gives to templates: `$input` and `$util`.

Follows https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from cumulet.services.apigateway.templates.jsonpath import BadPath, find
from cumulet.services.apigateway.templates.nodes import TemplateError
from cumulet.services.apigateway.templates.values import from_json, to_text

_UNREAD = object()
_ESCAPES = {
    '"': '\\"',
    "'": "\\'",
    "\\": "\\\\",
    "/": "\\/",
    "\b": "\\b",
    "\n": "\\n",
    "\t": "\\t",
    "\f": "\\f",
    "\r": "\\r",
}


class Input:
    """`$input`: the body and the parameters of a request; a response has the request's still."""

    __slots__ = ("_body", "_document", "_header", "_path", "_query")

    def __init__(
        self,
        body: str,
        path: Mapping[str, str],
        query: Mapping[str, str],
        header: Mapping[str, str],
    ) -> None:
        self._body = body
        self._document: Any = _UNREAD
        self._path = path
        self._query = query
        self._header = header

    def read(self, name: str) -> Any:
        """`$input.body`; an empty body shows as an empty object, as in AWS."""
        return (self._body or "{}") if name == "body" else None

    def call(self, name: str, arguments: list[Any]) -> Any:
        """`json(path)`, `path(path)`, `params()` and `params(name)`."""
        match name, arguments:
            case "json", [path]:
                found = self._find(to_text(path))
                return '""' if found is None else _json(found)
            case "path", [path]:
                return self._find(to_text(path))
            case "params", []:
                return {
                    "path": dict(self._path),
                    "querystring": dict(self._query),
                    "header": dict(self._header),
                }
            case "params", [wanted]:
                return self._parameter(to_text(wanted))
        return None

    def _parameter(self, name: str) -> str:
        for values in (self._path, self._query, self._header):
            if name in values:
                return values[name]
        lowered = name.lower()
        return next((text for key, text in self._header.items() if key.lower() == lowered), "")

    def _find(self, path: str) -> Any:
        if self._document is _UNREAD:
            try:
                self._document = from_json(json.loads(self._body)) if self._body.strip() else {}
            except ValueError:
                # A body that is not JSON is a text, as far as paths go.
                self._document = self._body
        try:
            return find(self._document, path)
        except BadPath as cause:
            raise TemplateError(f"Invalid JSONPath {path}: {cause}") from cause


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class Util:
    """`$util`: escaping and encoding."""

    __slots__ = ()

    def read(self, name: str) -> Any:
        """There are no properties."""
        return None

    def call(self, name: str, arguments: list[Any]) -> Any:
        """The functions of `$util`; each takes one text."""
        if len(arguments) != 1:
            return None
        text = to_text(arguments[0])
        match name:
            case "escapeJavaScript":
                return "".join(_ESCAPES.get(letter) or _escaped(letter) for letter in text)
            case "parseJson":
                try:
                    return from_json(json.loads(text))
                except ValueError as cause:
                    raise TemplateError("$util.parseJson was given no JSON") from cause
            case "urlEncode":
                return quote_plus(text, safe="*-._")
            case "urlDecode":
                return unquote_plus(text)
            case "base64Encode":
                return base64.b64encode(text.encode()).decode()
            case "base64Decode":
                try:
                    return base64.b64decode(text).decode("utf-8", "replace")
                except (binascii.Error, ValueError) as cause:
                    raise TemplateError("$util.base64Decode was given no base64") from cause
        return None


def _escaped(letter: str) -> str:
    code = ord(letter)
    if 32 <= code < 127:
        return letter
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04X}\\u{0xDC00 + (code & 0x3FF):04X}"
    return f"\\u{code:04X}"
