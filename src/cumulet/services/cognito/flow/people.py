"""Users coming to be and changing: names and aliases, sign-up, migration, new passwords."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.errors import (
    AliasExistsException,
    InvalidParameterException,
    NotAuthorizedException,
    ResourceNotFoundException,
    UsernameExistsException,
)
from cumulet.services.cognito.flow import triggers
from cumulet.services.cognito.flow.passwords import kept_password, set_password
from cumulet.services.cognito.flow.place import Place
from cumulet.services.cognito.model import CONFIRMED, MUST_CHANGE, MUST_RESET, Pool, User
from cumulet.services.cognito.rules.clients import may_write
from cumulet.services.cognito.rules.passwords import check_password, policy_of
from cumulet.services.cognito.rules.schema import (
    ADDRESSES,
    VERIFIED,
    check_values,
    is_email,
    is_phone,
)

_MIGRATED = (
    *("userAttributes", "forceAliasCreation", "enableSMSMFA"),
    *("finalUserStatus", "messageAction", "desiredDeliveryMediums"),
)
_WORDS = {"email": "email", "phone_number": "phone_number"}


def named(place: Place, given: str, attributes: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The name and attributes of a new user, whose name may be an address or a number.

    Raises InvalidParameterException when the name is not of the pool's kind.
    """
    pool, found = place.pool, folded_attributes(place.pool, attributes)
    kinds = pool.settings.get("UsernameAttributes")
    if not kinds:
        aliases = pool.settings.get("AliasAttributes", ())
        for kind, word, fits in (
            ("email", "email", is_email),
            ("phone_number", "phone number", is_phone),
        ):
            if kind in aliases and fits(given):
                raise InvalidParameterException(
                    f"Username cannot be of {word} format, since user pool is configured for "
                    f"{word} alias."
                )
        return given, found
    kind = "email" if is_email(given) else "phone_number" if is_phone(given) else ""
    if kind not in kinds:
        wanted = "either an email or a phone number" if len(kinds) > 1 else _a(kinds[0])
        raise InvalidParameterException(f"Username should be {wanted}.")
    value = given if pool.is_case_sensitive or kind != "email" else given.lower()
    if found.setdefault(kind, value) != value:
        raise InvalidParameterException(f"User {kind} and username do not match.")
    return new_uuid(place.ctx.clock), found


def _a(kind: str) -> str:
    return "an email" if kind == "email" else "a phone number"


def folded_attributes(pool: Pool, attributes: Mapping[str, str]) -> dict[str, str]:
    """Attributes as they are kept: addresses in lower case where case does not count."""
    if pool.is_case_sensitive:
        return dict(attributes)
    lower = ("email", "preferred_username")
    return {name: value.lower() if name in lower else value for name, value in attributes.items()}


def drafted(place: Place, given: str, attributes: Mapping[str, str], status: str) -> User:
    """A new user that is not yet in the store."""
    name, found = named(place, given, attributes)
    now = place.ctx.clock.now()
    sub = name if place.pool.settings.get("UsernameAttributes") else new_uuid(place.ctx.clock)
    return User(
        pool=place.pool.id,
        key=place.pool.folded(name),
        name=name,
        sub=sub,
        attributes=found,
        status=status,
        created=now,
        modified=now,
    )


async def add(
    tx: Transaction, scope: Scope, pool: Pool, user: User, *, forced: bool = False
) -> None:
    """Write a new user. Raises UsernameExistsException or AliasExistsException.

    With `forced`, a verified alias moves from the user who has it.
    """
    for kind in pool.settings.get("UsernameAttributes", ()):
        value = user.attributes.get(kind)
        if value and await store.holders(tx, scope, pool, kind, value):
            raise taken(kind)
    await claim_aliases(tx, scope, pool, user, forced=forced)
    if not await store.add_user(tx, scope, user):
        raise taken("")


async def add_fresh(
    tx: Transaction, scope: Scope, pool_id: str, user: User, forced: bool = False
) -> None:
    """As `add`, with the pool as it is in this moment."""
    pool = await store.POOLS.load(tx, scope, pool_id)
    if pool is None:
        raise ResourceNotFoundException(f"User pool {pool_id} does not exist.")
    await add(tx, scope, pool, user, forced=forced)


async def claim_aliases(
    tx: Transaction, scope: Scope, pool: Pool, user: User, *, forced: bool
) -> None:
    """Make sure that nobody else has the user's verified aliases. Raises AliasExistsException."""
    for kind in pool.settings.get("AliasAttributes", ()):
        value = user.attributes.get(kind)
        proved = kind not in ADDRESSES or user.attributes.get(f"{kind}_verified") == "true"
        if not value or not proved:
            continue
        for other in await store.holders(tx, scope, pool, kind, value):
            if other.key == user.key:
                continue
            if kind in ADDRESSES and other.attributes.get(f"{kind}_verified") != "true":
                continue
            if not forced:
                raise AliasExistsException(
                    f"An account with the {_WORDS.get(kind, kind)} already exists."
                )
            rest = {**other.attributes, f"{kind}_verified": "false"}
            if kind not in ADDRESSES:
                del rest[kind], rest[f"{kind}_verified"]
            await store.save_user(tx, scope, msgspec.structs.replace(other, attributes=rest))


async def before_sign_up(
    place: Place, user: User, source: str, validation: Mapping[str, str]
) -> dict[str, Any]:
    """What the trigger before sign-up says: whether to confirm, and what to take as verified."""
    said = await triggers.fire(
        place,
        "PreSignUp",
        source,
        user.name,
        {
            "userAttributes": dict(user.attributes),
            "validationData": dict(validation) or None,
            "clientMetadata": dict(place.metadata) or None,
        },
        {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False},
    )
    return said or {}


def with_verified(user: User, said: Mapping[str, Any]) -> User:
    """The user with what a trigger takes as verified."""
    found = dict(user.attributes)
    for key, name in (("autoVerifyEmail", "email"), ("autoVerifyPhone", "phone_number")):
        if said.get(key) is True and name in found:
            found[f"{name}_verified"] = "true"
    return msgspec.structs.replace(user, attributes=found)


async def after_confirmation(place: Place, user: User, source: str) -> None:
    """The trigger after a confirmation."""
    await triggers.fire(
        place,
        "PostConfirmation",
        source,
        user.name,
        {
            "userAttributes": triggers.seen_attributes(user),
            "clientMetadata": dict(place.metadata),
        },
    )


async def migrate(place: Place, name: str, password: str, source: str) -> User | None:
    """The user whom the pool's function brings from elsewhere, or None when it knows nobody.

    https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-migrate-user.html
    """
    said = await triggers.fire(
        place,
        "UserMigration",
        source,
        name,
        {
            "password": password or None,
            "validationData": dict(place.metadata) or None,
            "userAttributes": None,
            "clientMetadata": dict(place.metadata) or None,
        },
        dict.fromkeys(_MIGRATED),
    )
    attributes = (said or {}).get("userAttributes")
    if not said or not isinstance(attributes, dict):
        return None
    given = {str(key): str(value) for key, value in attributes.items() if key != "username"}
    check_values(place.pool.schema, given, is_new=True)
    final = str(said.get("finalUserStatus") or "")
    status = final if final in (CONFIRMED, MUST_RESET) else MUST_RESET
    user = drafted(place, name, given, status if password or final else MUST_RESET)
    if password:
        kept = await kept_password(place, user.name, password)
        user = msgspec.structs.replace(user, password=kept)
    forced = said.get("forceAliasCreation") is True
    await place.ctx.transact(add_fresh, place.pool.id, user, forced)
    return user


async def new_password(
    place: Place, user: User, password: str, attributes: Mapping[str, str]
) -> User:
    """Take the password that a user chose in place of a temporary one, and what was missing."""
    check_password(policy_of(place.pool.settings), password)
    check_writable(place, attributes)
    given = folded_attributes(place.pool, attributes)
    whole = {**user.attributes, **given}
    check_values(place.pool.schema, whole, is_new=True)
    kept = await kept_password(place, user.name, password)
    for name in set(given) & set(ADDRESSES):
        if given[name] != user.attributes.get(name):
            whole[f"{name}_verified"] = "false"
    changed = await place.ctx.transact(
        _take_new, place.pool, user.key, kept, whole, place.ctx.clock.now()
    )
    if changed is None:
        raise NotAuthorizedException("Invalid session for the user.")
    return changed


async def _take_new(
    tx: Transaction, scope: Scope, pool: Pool, key: str, kept: Any, whole: Any, now: float
) -> User | None:
    user = await store.USERS.load(tx, scope, pool.id, key)
    if user is None or user.status != MUST_CHANGE:
        return None
    changed = msgspec.structs.replace(user, attributes=whole)
    await claim_aliases(tx, scope, pool, changed, forced=False)
    return await set_password(
        *(tx, scope, pool, key, kept), status=CONFIRMED, attributes=whole, modified=now
    )


def check_writable(place: Place, attributes: Mapping[str, str]) -> None:
    """Raise NotAuthorizedException for an attribute that the client may not set."""
    if place.client is None or place.is_admin:
        return
    for name in attributes:
        if name in VERIFIED or not may_write(place.client, name):
            raise NotAuthorizedException("A client attempted to write unauthorized attribute")


def taken(kind: str) -> UsernameExistsException:
    """The refusal of a name, or of an address or number that stands for it."""
    if not kind:
        return UsernameExistsException("User already exists")
    word = "email" if kind == "email" else "phone number"
    return UsernameExistsException(f"An account with the given {word} already exists.")


def alias_taken(kind: str) -> AliasExistsException:
    """The refusal of an address or number that another user has."""
    return AliasExistsException(f"An account with the given {kind} already exists.")
