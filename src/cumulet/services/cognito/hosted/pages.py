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
_ICON = (
    '<svg viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.8" '
    'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">'
    '<circle cx="10" cy="10" r="8"/><path d="{}"/></svg>'
)
_BAD, _GOOD = _ICON.format("M10 5.8v5M10 14v.1"), _ICON.format("M6.4 10.3l2.4 2.4 4.8-5")


@dataclass(frozen=True, slots=True)
class Field:
    """One input of a form. `kind` is its HTML type; `complete` tells password managers.

    With `choices` (value and label) it is one of these instead.
    """

    name: str
    label: str
    kind: str = "text"
    complete: str = "on"
    value: str = ""
    hint: str = ""
    is_needed: bool = True
    is_code: bool = False
    choices: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """The secret of an authenticator: as a picture to scan (SVG), and as text to type."""

    picture: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page: a heading, what is said, a form, and links (text and target) under it.

    `brand` is the application that people sign in to; `account` who does, when that is known.
    `second` is another button of the same form: its name and its words.
    """

    title: str
    text: str = ""
    action: str = ""
    fields: Sequence[Field] = ()
    hidden: Sequence[tuple[str, str]] = ()
    button: str = ""
    links: Sequence[tuple[str, str]] = ()
    error: str = ""
    note: str = ""
    brand: str = ""
    account: str = ""
    second: tuple[str, str] | None = None
    key: Key | None = None


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
    # Who reads a page by ear hears its title first.
    title = " – ".join(filter(None, (page.title, page.brand)))
    title = f"Error: {title}" if page.error else title
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main>{''.join(_parts(page))}</main></body></html>"
    )


def _parts(page: Page) -> list[str]:
    parts = []
    if page.brand:
        letter = escape(page.brand[:1].upper())
        parts.append(f'<p class="brand"><b aria-hidden="true">{letter}</b>{escape(page.brand)}</p>')
    parts.append(f"<h1>{escape(page.title)}</h1>")
    if page.text:
        parts.append(f'<p class="lead">{escape(page.text)}</p>')
    if page.account:
        parts.append(f'<p class="who">{escape(page.account)}</p>')
    if page.note:
        parts.append(f'<p class="good" role="status">{_GOOD}<span>{escape(page.note)}</span></p>')
    if page.error:
        words = f"<span>{escape(page.error)}</span>"
        parts.append(f'<p class="bad" role="alert" id="problem">{_BAD}{words}</p>')
    if page.key is not None:
        text = f'<span class="hint">Or type this key:</span> <code>{escape(page.key.text)}</code>'
        parts.append(f'<div class="key">{page.key.picture}{text}</div>')
    if page.button:
        parts.append(_form(page))
    if page.links:
        links = "".join(f'<a href="{escape(to)}">{escape(text)}</a>' for text, to in page.links)
        parts.append(f"<nav>{links}</nav>")
    return parts


def _form(page: Page) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in page.hidden
    )
    first = next((one for one in page.fields if not one.value), next(iter(page.fields), None))
    is_wrong = bool(page.error)
    shown = "".join(
        _choice(one) if one.choices else _field(one, one is first, is_wrong) for one in page.fields
    )
    second = ""
    if page.second is not None:
        name, words = page.second
        second = (
            f'<button class="quiet" name="{escape(name)}" value="yes" formnovalidate>'
            f"{escape(words)}</button>"
        )
    return (
        f'<form method="post" action="{escape(page.action)}">{hidden}{shown}'
        f"<button>{escape(page.button)}</button>{second}</form>"
    )


def _field(field: Field, is_first: bool, is_wrong: bool) -> str:
    """An input with its label; the first that is empty has the focus, and tells what is wrong."""
    more, told = "", []
    if is_first:
        more += " autofocus"
        if is_wrong:
            more += ' aria-invalid="true"'
            told.append("problem")
    if field.is_needed:
        more += " required"
    if field.is_code:
        more += ' class="code" inputmode="numeric" pattern="[0-9]*" maxlength="10"'
    if field.kind != "password" and field.complete in ("username", "email"):
        more += ' autocapitalize="none" spellcheck="false"'
    hint = ""
    if field.hint:
        told.append(f"{field.name}-hint")
        hint = f'<p class="hint" id="{escape(field.name)}-hint">{escape(field.hint)}</p>'
    if told:
        more += f' aria-describedby="{escape(" ".join(told))}"'
    return (
        f'<label for="{escape(field.name)}">{escape(field.label)}</label>'
        f'<input id="{escape(field.name)}" name="{escape(field.name)}" type="{field.kind}" '
        f'autocomplete="{field.complete}" value="{escape(field.value)}"{more}>{hint}'
    )


def _choice(field: Field) -> str:
    """One of several, as buttons of which one is pressed; the first is, so that Enter goes on."""
    buttons = []
    for number, (value, label) in enumerate(field.choices):
        id, more = f"{field.name}-{number}", "" if number else " checked autofocus"
        buttons.append(
            f'<div class="choice"><input id="{escape(id)}" name="{escape(field.name)}" '
            f'type="radio" value="{escape(value)}" required{more}>'
            f'<label for="{escape(id)}">{escape(label)}</label></div>'
        )
    return f"<fieldset><legend>{escape(field.label)}</legend>{''.join(buttons)}</fieldset>"
