"""The pages for a new account and its confirmation, and for a forgotten password."""

from __future__ import annotations

from cumulet.core.errors import AwsError
from cumulet.core.http import Response
from cumulet.services.cognito import store
from cumulet.services.cognito.flow import post
from cumulet.services.cognito.flow.place import by_client
from cumulet.services.cognito.hosted.asking import Asked, redirect
from cumulet.services.cognito.hosted.authorize import Wish, problem, read_wish
from cumulet.services.cognito.hosted.forms import (
    STALE,
    attribute_field,
    code_field,
    form_page,
    name_field,
    new_password_field,
)
from cumulet.services.cognito.hosted.login import login_page
from cumulet.services.cognito.hosted.pages import Page, show
from cumulet.services.cognito.model import UNCONFIRMED
from cumulet.services.cognito.operations import password as passwords
from cumulet.services.cognito.operations import sign_up
from cumulet.services.cognito.rules.schema import VERIFIED

_BACK = "Back to sign in"
_SENT = "If there is such an account, another code is on its way."
_NOBODY = "UserNotFoundException"
_HIDDEN = (_NOBODY, "ExpiredCodeException")


def _told(refused: AwsError) -> str:
    """What a page says of a refusal: never whether somebody has an account."""
    if refused.code in _HIDDEN:
        return "Invalid code, please request another."
    return refused.message


def _needed(wish: Wish) -> list[str]:
    """What a new account must tell besides name and password."""
    pool = wish.place.pool
    kinds = pool.settings.get("UsernameAttributes", [])
    wanted = [n for n, one in pool.schema.items() if one["Required"] and n != "sub"]
    wanted += [n for n in pool.settings.get("AutoVerifiedAttributes", []) if n not in wanted]
    return [n for n in wanted if n not in VERIFIED and not (len(kinds) == 1 and n in kinds)]


async def signup(asked: Asked) -> Response:
    """Show the form for a new account, and take it."""
    wish = await read_wish(asked)
    if wish.place.pool.settings["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"]:
        raise problem("Accounts are made by administrators only.", 403)
    if asked.request.method != "POST":
        return _signup_page(asked, wish)
    if not asked.is_own_form():
        return _signup_page(asked, wish, STALE)
    name = asked.form.get("username", "").strip()
    given = [
        {"Name": key, "Value": asked.form[key]} for key in _needed(wish) if asked.form.get(key)
    ]
    request = {
        "Username": name,
        "Password": asked.form.get("password", ""),
        "UserAttributes": given,
    }
    try:
        answer = await sign_up.register(wish.place, request)
    except AwsError as error:
        return _signup_page(asked, wish, error.message)
    if answer["UserConfirmed"]:
        return redirect(asked.link("/login", username=name))
    return redirect(asked.link("/confirm", username=name))


def _signup_page(asked: Asked, wish: Wish, error: str = "") -> Response:
    more = [attribute_field(asked, name) for name in _needed(wish)]
    page = Page(
        "Create an account",
        action=asked.link("/signup"),
        fields=(name_field(asked, wish), *more, new_password_field(wish, "password")),
        button="Create account",
        links=[("I have an account", asked.link("/login"))],
        error=error,
    )
    return form_page(asked, wish, page)


async def confirm(asked: Asked) -> Response:
    """Show the form for the code of a new account, and take it, or send another."""
    wish = await read_wish(asked)
    name, error, note = asked.query.get("username", ""), "", ""
    if asked.request.method == "POST":
        if not asked.is_own_form():
            error = STALE
        else:
            try:
                note = _SENT if "again" in asked.form else ""
                user = await wish.place.user(name)
                if not note:
                    await sign_up.confirm(wish.place, user, asked.form.get("code", "").strip())
                    return login_page(asked, wish, note="Your account is confirmed.")
                address = post.reachable(wish.place, user, verified=False)
                if user.status == UNCONFIRMED and address is not None:
                    await post.send_code(wish.place, user, address, post.CONFIRM, "ResendCode")
            except AwsError as refused:
                error = _told(refused) if not note or refused.code != _NOBODY else ""
                note = "" if error else note
    page = Page(
        "Confirm your account",
        "Enter the code that was sent to you.",
        asked.link("/confirm"),
        (code_field("code"),),
        button="Confirm",
        links=[(_BACK, asked.link("/login"))],
        error=error,
        note=note,
        account=f"Account: {name}" if name else "",
        second=("again", "Send another code"),
    )
    return form_page(asked, wish, page)


async def forgot_password(asked: Asked) -> Response:
    """Show the form for a forgotten password, and send the code."""
    wish = await read_wish(asked)
    error = ""
    if asked.request.method == "POST":
        error = STALE
        if asked.is_own_form():
            name = asked.form.get("username", "").strip()
            try:
                user = await wish.place.ctx.transact(store.find_user, wish.place.pool, name)
                if user is not None:
                    await passwords.send_reset(wish.place, user, name)
                # The page never tells who exists, whatever the client wants of the API.
                return redirect(asked.link("/confirmForgotPassword", username=name))
            except AwsError as refused:
                error = refused.message
    page = Page(
        "Forgot your password?",
        "A code will be sent to you, with which you can choose another.",
        asked.link("/forgotPassword"),
        (name_field(asked, wish),),
        button="Send the code",
        links=[(_BACK, asked.link("/login"))],
        error=error,
    )
    return form_page(asked, wish, page)


async def confirm_forgot_password(asked: Asked) -> Response:
    """Show the form for code and new password, and take it."""
    wish = await read_wish(asked)
    error, name = "", asked.query.get("username", "")
    if asked.request.method == "POST":
        error = STALE
        if asked.is_own_form():
            form = asked.form
            try:
                user = await wish.place.ctx.transact(store.find_user, wish.place.pool, name)
                code = form.get("code", "").strip()
                await passwords.reset(wish.place, user, code, form.get("password", ""))
                return login_page(asked, wish, note="Your password is changed.")
            except AwsError as refused:
                error = _told(refused)
    page = Page(
        "Choose a new password",
        "If there is such an account, a code was sent to you.",
        asked.link("/confirmForgotPassword"),
        (code_field("code"), new_password_field(wish, "password", "New password")),
        button="Change the password",
        links=[
            ("Send another code", asked.link("/forgotPassword")),
            (_BACK, asked.link("/login")),
        ],
        error=error,
        account=f"Account: {name}" if name else "",
    )
    return form_page(asked, wish, page)


async def confirm_user(asked: Asked) -> Response:
    """The link in a message that confirms a new account.

    https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-settings-email-verification-message-customization.html
    """
    query = asked.query
    try:
        place = await by_client(asked.ctx, query.get("client_id", ""))
        if place.pool.id != asked.domain.pool:
            raise problem("The link is not valid.")
        user = await place.user(query.get("user_name", ""))
        await sign_up.confirm(place, user, query.get("confirmation_code", ""))
    except AwsError as error:
        raise problem("The link is not valid, or was used before.") from error
    return show(
        Page(
            "Your registration has been confirmed!",
            "You can sign in now.",
            brand=place.through.name,
        )
    )
