"""What the pages share: a form of our own with its token, and the fields that return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cumulet.core.http import Response
from cumulet.services.cognito.hosted.asking import Asked
from cumulet.services.cognito.hosted.authorize import Wish
from cumulet.services.cognito.hosted.pages import Field, Page, show
from cumulet.services.cognito.rules.passwords import policy_of

STALE = "This form is too old, or was opened elsewhere. Please try again."
LABELS = {
    "email": "Email address",
    "phone_number": "Phone number",
    "name": "Name",
    "given_name": "First name",
    "family_name": "Last name",
    "birthdate": "Date of birth",
    "preferred_username": "Preferred username",
    "nickname": "Nickname",
    "address": "Address",
    "locale": "Language",
    "zoneinfo": "Time zone",
}
_COMPLETE = {
    "email": ("email", "email"),
    "phone_number": ("tel", "tel"),
    "name": ("text", "name"),
    "given_name": ("text", "given-name"),
    "family_name": ("text", "family-name"),
    "birthdate": ("date", "bday"),
    "nickname": ("text", "nickname"),
    "address": ("text", "street-address"),
    "website": ("url", "url"),
}
_HINTS = {"phone_number": "With the country's code, such as +14155550123."}
_NEEDS = (
    ("RequireUppercase", "an uppercase letter"),
    ("RequireLowercase", "a lowercase letter"),
    ("RequireNumbers", "a number"),
    ("RequireSymbols", "a special character"),
)


def form_page(asked: Asked, wish: Wish, page: Page) -> Response:
    """A page with a form of our own."""
    token = asked.new_form_token()
    brand = page.brand or wish.place.through.name
    whole = replace(page, hidden=(("_csrf", token), *page.hidden), brand=brand)
    return show(whole, asked.form_cookie(token), goes_to=wish.origin)


def name_field(asked: Asked, wish: Wish) -> Field:
    """The name, number or address by which people sign in, as far as it is known."""
    kinds = wish.place.pool.settings.get("UsernameAttributes", [])
    label = "Username"
    if kinds == ["email"]:
        label = "Email address"
    elif kinds:
        label = "Phone number" if kinds == ["phone_number"] else "Email address or phone number"
    query = asked.query
    known = asked.form.get("username") or query.get("username") or query.get("login_hint", "")
    return Field("username", label, complete="username", value=known)


def new_password_field(wish: Wish, name: str, label: str = "Password") -> Field:
    """A password to be chosen, with what the pool wants of it."""
    return Field(name, label, "password", "new-password", hint=wanted_of(wish.place.pool.settings))


def wanted_of(settings: Mapping[str, Any]) -> str:
    """What a pool wants of a password, as a sentence."""
    policy = policy_of(settings)
    needs = [words for name, words in _NEEDS if policy.get(name)]
    start = f"At least {policy['MinimumLength']} characters"
    if not needs:
        return f"{start}."
    last = needs.pop()
    return f"{start}, with {', '.join(needs)} and {last}." if needs else f"{start}, with {last}."


def attribute_field(asked: Asked, name: str) -> Field:
    """An attribute that a new account must tell."""
    kind, complete = _COMPLETE.get(name, ("text", "on"))
    label = LABELS.get(name, name.removeprefix("custom:").replace("_", " ").capitalize())
    value = asked.form.get(name, "")
    return Field(name, label, kind, complete, value, hint=_HINTS.get(name, ""))


def code_field(name: str) -> Field:
    """A code of digits, which devices may fill in from a message."""
    return Field(name, "Code", complete="one-time-code", is_code=True)
