"""The pages for signing in with all its challenges, and for signing out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

from cumulet.core.errors import AwsError
from cumulet.core.http import Response
from cumulet.services.cognito.flow import factors, proofs, sign_in
from cumulet.services.cognito.flow.passwords import WRONG
from cumulet.services.cognito.flow.place import by_client
from cumulet.services.cognito.hosted.asking import Asked, redirect
from cumulet.services.cognito.hosted.authorize import Wish, grant, problem, read_wish
from cumulet.services.cognito.hosted.forms import (
    STALE,
    attribute_field,
    code_field,
    form_page,
    name_field,
    new_password_field,
)
from cumulet.services.cognito.hosted.pages import Field, Key, Page
from cumulet.services.cognito.hosted.qr import drawn
from cumulet.services.cognito.operations import mfa
from cumulet.services.cognito.rules.passwords import check_password, policy_of

_CODES = {
    factors.TOTP: ("SOFTWARE_TOKEN_MFA_CODE", "Enter the code that your authenticator shows."),
    factors.SMS: ("SMS_MFA_CODE", "Enter the code that was sent to your phone{}."),
    factors.EMAIL: ("EMAIL_OTP_CODE", "Enter the code that was sent to you by email{}."),
}
_WAYS = {
    factors.TOTP: ("An authenticator app", ""),
    factors.SMS: ("A text message", "CODE_DELIVERY_DESTINATION_SMS"),
    factors.EMAIL: ("An email", "CODE_DELIVERY_DESTINATION_EMAIL"),
}
_CONFIRM = "Confirm that it is you"
_ATTRIBUTES = "userAttributes."


def _is_open(wish: Wish) -> bool:
    return not wish.place.pool.settings["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"]


def login_page(asked: Asked, wish: Wish, error: str = "", note: str = "") -> Response:
    """The form for name and password."""
    links = [("Forgot your password?", asked.link("/forgotPassword"))]
    if _is_open(wish):
        links.append(("Create an account", asked.link("/signup")))
    page = Page(
        "Sign in",
        action=asked.link("/login"),
        fields=(
            name_field(asked, wish),
            Field("password", "Password", "password", "current-password"),
        ),
        button="Sign in",
        links=links,
        error=error,
        note=note,
    )
    return form_page(asked, wish, page)


async def login(asked: Asked) -> Response:
    """Show the sign-in form, and take it."""
    wish = await read_wish(asked)
    if asked.request.method != "POST":
        return login_page(asked, wish)
    if not asked.is_own_form():
        return login_page(asked, wish, STALE)
    name = asked.form.get("username", "").strip()
    given = {"USERNAME": name, "PASSWORD": asked.form.get("password", "")}
    try:
        user = await proofs.by_password(wish.place, given)
        answer = await sign_in.after_password(wish.place, user)
    except AwsError as error:
        if error.code == "UserNotConfirmedException":
            return redirect(asked.link("/confirm", username=name))
        if error.code == "PasswordResetRequiredException":
            return redirect(asked.link("/confirmForgotPassword", username=name))
        if error.code == "UserNotFoundException":
            return login_page(asked, wish, WRONG)
        return login_page(asked, wish, error.message)
    return await _next(asked, wish, answer, user.name)


async def _next(
    asked: Asked, wish: Wish, answer: Mapping[str, Any], name: str, error: str = ""
) -> Response:
    """The page of the next challenge, or back to the client."""
    if "User" in answer:
        return await grant(asked, wish, answer["User"], wish.place.ctx.clock.now())
    challenge = answer["ChallengeName"]
    if challenge == factors.SETUP:
        return await _set_up_page(asked, wish, answer["Session"], name, error)
    told = answer.get("ChallengeParameters", {})
    if challenge == sign_in.NEW_PASSWORD:
        missing = orjson.loads(told.get("requiredAttributes", "[]"))
        return _new_password_page(asked, wish, answer["Session"], name, missing, error)
    if challenge == factors.SELECT:
        field = Field("answer", "How do you want to do it?", choices=_ways(told))
        page = Page(_CONFIRM, "There are several ways.", fields=(field,))
    elif challenge in _CODES:
        to = told.get("CODE_DELIVERY_DESTINATION", "")
        text = _CODES[challenge][1].format(f", {to}" if to else "")
        page = Page(_CONFIRM, text, fields=(code_field("answer"),))
    else:
        raise problem("This sign-in needs a step that the sign-in pages do not have.")
    return _challenge_page(asked, wish, page, challenge, answer["Session"], name, error)


def _ways(told: Mapping[str, str]) -> list[tuple[str, str]]:
    found = []
    for factor in orjson.loads(told["MFAS_CAN_CHOOSE"]):
        words, where = _WAYS[factor]
        to = told.get(where, "")
        found.append((factor, f"{words} to {to}" if to else words))
    return found


def _new_password_page(
    asked: Asked, wish: Wish, session: str, name: str, missing: list[str], error: str
) -> Response:
    more = [attribute_field(asked, one.removeprefix(_ATTRIBUTES)) for one in missing]
    page = Page(
        "Choose a new password",
        "The one that you were given was temporary.",
        fields=(new_password_field(wish, "answer", "New password"), *more),
        hidden=(("missing", " ".join(missing)),),
    )
    return _challenge_page(asked, wish, page, sign_in.NEW_PASSWORD, session, name, error)


async def _set_up_page(
    asked: Asked, wish: Wish, session: str, name: str, error: str, secret: str = ""
) -> Response:
    """The secret of a new authenticator; the same again after a code that was mistyped."""
    if not secret:
        made = await mfa.associate_software_token(asked.ctx, {"Session": session})
        secret, session = made["SecretCode"], made["Session"]
    brand = wish.place.through.name
    label = f"{quote(brand, safe='')}:{quote(name, safe='@')}"
    address = f"otpauth://totp/{label}?secret={secret}&issuer={quote(brand, safe='')}"
    try:
        picture = drawn(address)
    except ValueError:
        picture = ""
    grouped = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    page = Page(
        "Set up your authenticator",
        "Scan this with an authenticator app, then enter the code that it shows.",
        fields=(code_field("answer"),),
        hidden=(("secret", secret),),
        key=Key(picture, grouped),
    )
    return _challenge_page(asked, wish, page, factors.SETUP, session, name, error)


def _challenge_page(
    asked: Asked, wish: Wish, page: Page, challenge: str, session: str, name: str, error: str
) -> Response:
    whole = Page(
        page.title,
        page.text,
        asked.link("/login/challenge"),
        page.fields,
        (("challenge", challenge), ("session", session), ("username", name), *page.hidden),
        "Continue",
        (("Sign in as somebody else", asked.link("/login")),),
        error,
        account=f"Signing in as {name}",
        key=page.key,
    )
    return form_page(asked, wish, whole)


async def challenge(asked: Asked) -> Response:
    """Take the answer to a challenge."""
    wish = await read_wish(asked)
    if asked.request.method != "POST" or not asked.is_own_form():
        return login_page(asked, wish, STALE)
    form = asked.form
    kind, session, name = (form.get(key, "") for key in ("challenge", "session", "username"))
    given = form.get("answer", "")
    responses = {"USERNAME": name}
    try:
        if kind == sign_in.NEW_PASSWORD:
            missing = form.get("missing", "").split()
            # A session is good for one answer: what can be told before is no answer yet.
            try:
                check_password(policy_of(wish.place.pool.settings), given)
            except AwsError as error:
                return _new_password_page(asked, wish, session, name, missing, error.message)
            values = {key: form.get(key.removeprefix(_ATTRIBUTES), "") for key in missing}
            responses |= {"NEW_PASSWORD": given, **values}
        elif kind == factors.SETUP:
            verified = await mfa.verify_software_token(
                asked.ctx, {"Session": session, "UserCode": given.strip()}
            )
            session = verified["Session"]
        elif kind == factors.SELECT:
            responses["ANSWER"] = given
        elif kind in _CODES:
            responses[_CODES[kind][0]] = given.strip()
        else:
            return login_page(asked, wish, STALE)
        answer = await sign_in.answered(wish.place, kind, session, responses)
    except AwsError as error:
        return await _again(asked, wish, kind, error)
    return await _next(asked, wish, answer, name)


async def _again(asked: Asked, wish: Wish, kind: str, error: AwsError) -> Response:
    """The same page after a code that was wrong; the first one after anything else."""
    form = asked.form
    name, session = form.get("username", ""), form.get("session", "")
    if kind == factors.SETUP and error.code == "EnableSoftwareTokenMFAException":
        words = "That is not the code that the authenticator shows. Please try again."
        return await _set_up_page(asked, wish, session, name, words, form.get("secret", ""))
    if error.code in ("CodeMismatchException", "ExpiredCodeException"):
        words = "That code is not right. Please try again."
        if error.code == "ExpiredCodeException":
            words = "That code was used before. Please wait for the next one."
        return await _next(asked, wish, {"ChallengeName": kind, "Session": session}, name, words)
    return login_page(asked, wish, error.message)


async def logout(asked: Asked) -> Response:
    """Forget who signed in here, and go where the client wants.

    https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html
    """
    query = asked.query
    try:
        place = await by_client(asked.ctx, query.get("client_id", ""))
    except AwsError as cause:
        raise problem("The application is not known: client_id.") from cause
    if place.pool.id != asked.domain.pool:
        raise problem("The application is not known: client_id.")
    forget = asked.no_login_cookie()
    to = query.get("logout_uri", "")
    if to:
        if to not in place.through.settings.get("LogoutURLs", []):
            raise problem("The address of the application is not known: logout_uri.")
        return redirect(to, forget)
    if query.get("redirect_uri"):
        return redirect(asked.link("/login"), forget)
    raise problem("Required parameters are missing: logout_uri.")
