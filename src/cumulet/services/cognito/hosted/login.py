"""The pages: signing in with all its challenges, signing up, a forgotten password, signing out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.errors import AwsError
from cumulet.core.http import Response
from cumulet.services.cognito import store
from cumulet.services.cognito.flow import factors, proofs, sign_in
from cumulet.services.cognito.flow.passwords import WRONG
from cumulet.services.cognito.flow.place import by_client
from cumulet.services.cognito.hosted.asking import Asked, redirect
from cumulet.services.cognito.hosted.authorize import Wish, grant, problem, read_wish
from cumulet.services.cognito.hosted.pages import Field, Page, show
from cumulet.services.cognito.operations import password as passwords
from cumulet.services.cognito.operations import sign_up
from cumulet.services.cognito.rules.schema import VERIFIED

_CODES = {
    factors.TOTP: ("SOFTWARE_TOKEN_MFA_CODE", "Enter the code that your authenticator shows."),
    factors.SMS: ("SMS_MFA_CODE", "Enter the code that was sent to your phone."),
    factors.EMAIL: ("EMAIL_OTP_CODE", "Enter the code that was sent to you by email."),
}
_LABELS = {
    "email": "Email address",
    "phone_number": "Phone number",
    "name": "Name",
    "given_name": "First name",
    "family_name": "Last name",
    "birthdate": "Date of birth",
}
_STALE = "This form is too old, or was opened elsewhere. Please try again."


def _page(asked: Asked, wish: Wish, page: Page) -> Response:
    """A page with a form of our own."""
    token = asked.new_form_token()
    whole = Page(
        page.title,
        page.text,
        page.action,
        page.fields,
        (("_csrf", token), *page.hidden),
        page.button,
        page.links,
        page.error,
        page.note,
    )
    return show(whole, asked.form_cookie(token), goes_to=wish.origin)


def _name_label(wish: Wish) -> str:
    kinds = wish.place.pool.settings.get("UsernameAttributes", [])
    if kinds == ["email"]:
        return "Email address"
    return "Phone number" if kinds == ["phone_number"] else "Username"


def _name_field(asked: Asked, wish: Wish) -> Field:
    value = asked.form.get("username", "")
    return Field("username", _name_label(wish), complete="username", value=value)


def _is_open(wish: Wish) -> bool:
    return not wish.place.pool.settings["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"]


def _login_page(asked: Asked, wish: Wish, error: str = "", note: str = "") -> Response:
    links = [("Forgot your password?", asked.link("/forgotPassword"))]
    if _is_open(wish):
        links.append(("Create an account", asked.link("/signup")))
    page = Page(
        "Sign in",
        f"to continue to {wish.place.through.name}",
        asked.link("/login"),
        (
            Field(
                "username",
                _name_label(wish),
                complete="username",
                value=asked.form.get("username", ""),
            ),
            Field("password", "Password", "password", "current-password"),
        ),
        (),
        "Sign in",
        links,
        error,
        note,
    )
    return _page(asked, wish, page)


async def login(asked: Asked) -> Response:
    """Show the sign-in form, and take it."""
    wish = await read_wish(asked)
    if asked.request.method != "POST":
        return _login_page(asked, wish)
    if not asked.is_own_form():
        return _login_page(asked, wish, _STALE)
    name = asked.form.get("username", "").strip()
    given = {"USERNAME": name, "PASSWORD": asked.form.get("password", "")}
    try:
        user = await proofs.by_password(wish.place, given)
        answer = await sign_in.after_password(wish.place, user)
    except AwsError as error:
        if error.code == "UserNotConfirmedException":
            return redirect(asked.link("/confirm", username=name))
        if error.code == "UserNotFoundException":
            return _login_page(asked, wish, WRONG)
        return _login_page(asked, wish, error.message)
    return await _next(asked, wish, answer, user.name)


async def _next(
    asked: Asked, wish: Wish, answer: Mapping[str, Any], name: str, error: str = ""
) -> Response:
    """The page of the next challenge, or back to the client."""
    if "User" in answer:
        return await grant(asked, wish, answer["User"], wish.place.ctx.clock.now())
    challenge = answer["ChallengeName"]
    hidden = (
        ("challenge", challenge),
        ("session", answer["Session"]),
        ("username", name),
    )
    if challenge == sign_in.NEW_PASSWORD:
        fields = (Field("answer", "New password", "password", "new-password"),)
        title, text = "Choose a new password", "Yours was temporary."
    elif challenge in _CODES:
        fields = (Field("answer", "Code", complete="one-time-code", is_code=True),)
        title, text = "Confirm that it is you", _CODES[challenge][1]
    elif challenge == factors.SELECT:
        offered = answer["ChallengeParameters"]["MFAS_CAN_CHOOSE"]
        fields = (Field("answer", "Way", hint=f"One of {offered}"),)
        title, text = "Confirm that it is you", "Choose how."
    else:
        raise problem("This sign-in needs a step that pages do not have: set up a second factor.")
    page = Page(title, text, asked.link("/login/challenge"), fields, hidden, "Continue", (), error)
    return _page(asked, wish, page)


async def challenge(asked: Asked) -> Response:
    """Take the answer to a challenge."""
    wish = await read_wish(asked)
    if asked.request.method != "POST" or not asked.is_own_form():
        return _login_page(asked, wish, _STALE)
    form = asked.form
    kind, name = form.get("challenge", ""), form.get("username", "")
    key = {sign_in.NEW_PASSWORD: "NEW_PASSWORD", factors.SELECT: "ANSWER"}.get(kind)
    if key is None and kind in _CODES:
        key = _CODES[kind][0]
    if key is None:
        return _login_page(asked, wish, _STALE)
    responses = {"USERNAME": name, key: form.get("answer", "")}
    try:
        answer = await sign_in.answered(wish.place, kind, form.get("session"), responses)
    except AwsError as error:
        if error.code == "CodeMismatchException":
            same = {"ChallengeName": kind, "Session": form.get("session", "")}
            return await _next(asked, wish, same, name, error.message)
        return _login_page(asked, wish, error.message)
    return await _next(asked, wish, answer, name)


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
    if not _is_open(wish):
        raise problem("Accounts are made by administrators only.", 403)
    if asked.request.method != "POST":
        return _signup_page(asked, wish)
    if not asked.is_own_form():
        return _signup_page(asked, wish, _STALE)
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
        return redirect(asked.link("/login"))
    return redirect(asked.link("/confirm", username=name))


def _signup_page(asked: Asked, wish: Wish, error: str = "") -> Response:
    form = asked.form
    more = [Field(key, _LABELS.get(key, key), value=form.get(key, "")) for key in _needed(wish)]
    page = Page(
        "Create an account",
        f"for {wish.place.through.name}",
        asked.link("/signup"),
        (
            Field(
                "username", _name_label(wish), complete="username", value=form.get("username", "")
            ),
            *more,
            Field("password", "Password", "password", "new-password"),
        ),
        (),
        "Create account",
        [("I have an account", asked.link("/login"))],
        error,
    )
    return _page(asked, wish, page)


async def confirm(asked: Asked) -> Response:
    """Show the form for the code of a new account, and take it."""
    wish = await read_wish(asked)
    name, error = asked.query.get("username", ""), ""
    if asked.request.method == "POST":
        error = _STALE
        if asked.is_own_form():
            try:
                user = await wish.place.user(name)
                await sign_up.confirm(wish.place, user, asked.form.get("code", "").strip())
                return _login_page(asked, wish, note="Your account is confirmed.")
            except AwsError as refused:
                error = refused.message
    field = Field("code", "Code", complete="one-time-code", is_code=True)
    page = Page(
        "Confirm your account",
        "A code was sent to you.",
        asked.link("/confirm"),
        (field,),
        (),
        "Confirm",
        [("Back to sign in", asked.link("/login"))],
        error,
    )
    return _page(asked, wish, page)


async def forgot_password(asked: Asked) -> Response:
    """Show the form for a forgotten password, and send the code."""
    wish = await read_wish(asked)
    error = ""
    if asked.request.method == "POST":
        error = _STALE
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
        "A code will be sent to you.",
        asked.link("/forgotPassword"),
        (Field("username", _name_label(wish), complete="username"),),
        (),
        "Send the code",
        [("Back to sign in", asked.link("/login"))],
        error,
    )
    return _page(asked, wish, page)


async def confirm_forgot_password(asked: Asked) -> Response:
    """Show the form for code and new password, and take it."""
    wish = await read_wish(asked)
    error = ""
    if asked.request.method == "POST":
        error = _STALE
        if asked.is_own_form():
            form, name = asked.form, asked.query.get("username", "")
            try:
                user = await wish.place.ctx.transact(store.find_user, wish.place.pool, name)
                code = form.get("code", "").strip()
                await passwords.reset(wish.place, user, code, form.get("password", ""))
                return _login_page(asked, wish, note="Your password is changed.")
            except AwsError as refused:
                hides = refused.code in ("UserNotFoundException", "ExpiredCodeException")
                error = "Invalid code, please request another." if hides else refused.message
    page = Page(
        "Choose a new password",
        "If there is such an account, a code was sent to you.",
        asked.link("/confirmForgotPassword"),
        (
            Field("code", "Code", complete="one-time-code", is_code=True),
            Field("password", "New password", "password", "new-password"),
        ),
        (),
        "Change the password",
        [("Back to sign in", asked.link("/login"))],
        error,
    )
    return _page(asked, wish, page)


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
    return show(Page("Your registration has been confirmed!", "You can sign in now."))
