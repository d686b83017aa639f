"""The sign-in pages as HTML: forms that work without scripts, with labels and one heading. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from cumulet.core.http import Response
from cumulet.services.cognito.hosted.style import STYLE

_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()


@dataclass(frozen=True, slots=True)
class Field:
    """One input of a form. `kind` is its HTML type; `complete` tells password managers."""

    name: str
    label: str
    kind: str = "text"
    complete: str = "on"
    value: str = ""
    hint: str = ""
    is_needed: bool = True
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page: a heading, what is said, a form, and links (text and target) under it."""

    title: str
    text: str = ""
    action: str = ""
    fields: Sequence[Field] = ()
    hidden: Sequence[tuple[str, str]] = ()
    button: str = ""
    links: Sequence[tuple[str, str]] = ()
    error: str = ""
    note: str = ""


def show(page: Page, *headers: tuple[str, str], status: int = 200, goes_to: str = "") -> Response:
    """The page as an answer. `goes_to` is the origin to which its form may lead in the end."""
    forms = " ".join(("'self'", goes_to)).strip()
    policy = (
        f"default-src 'none'; style-src 'sha256-{_DIGEST}'; form-action {forms}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    return Response(
        status,
        [
            ("content-type", "text/html; charset=utf-8"),
            ("content-security-policy", policy),
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            *headers,
        ],
        _html(page).encode(),
    )


def _html(page: Page) -> str:
    parts = [f"<h1>{escape(page.title)}</h1>"]
    if page.text:
        parts.append(f"<p>{escape(page.text)}</p>")
    if page.note:
        parts.append(f'<p class="good" role="status">{escape(page.note)}</p>')
    if page.error:
        parts.append(f'<p class="bad" role="alert" id="problem">{escape(page.error)}</p>')
    if page.button:
        parts.append(_form(page))
    if page.links:
        links = "".join(f'<a href="{escape(to)}">{escape(text)}</a>' for text, to in page.links)
        parts.append(f"<nav>{links}</nav>")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(page.title)}</title><style>{STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>"
    )


def _form(page: Page) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in page.hidden
    )
    shown = "".join(_field(one, n == 0) for n, one in enumerate(page.fields))
    return (
        f'<form method="post" action="{escape(page.action)}">{hidden}{shown}'
        f"<button>{escape(page.button)}</button></form>"
    )


def _field(field: Field, is_first: bool) -> str:
    more = " autofocus" if is_first else ""
    if field.is_needed:
        more += " required"
    if field.is_code:
        more += ' inputmode="numeric" pattern="[0-9]*"'
    hint = ""
    if field.hint:
        more += f' aria-describedby="{field.name}-hint"'
        hint = f'<p class="hint" id="{field.name}-hint">{escape(field.hint)}</p>'
    return (
        f'<label for="{escape(field.name)}">{escape(field.label)}</label>'
        f'<input id="{escape(field.name)}" name="{escape(field.name)}" type="{field.kind}" '
        f'autocomplete="{field.complete}" value="{escape(field.value)}"{more}>{hint}'
    )
