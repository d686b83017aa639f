"""Tokens: signed, short, and ended by logging out; and how often a password may be tried."""

import secrets
import time

import boto3
import jwt
import settings

ALGORITHM = "HS256"
CLAIMS = ("sub", "name", "iss", "iat", "exp", "jti")

table = boto3.resource("dynamodb").Table(settings.SESSIONS)
ssm = boto3.client("ssm")
kept = {"key": "", "until": 0.0}


class TooManyTries(Exception):
    """The argument is in how many seconds to try again."""


def signing_key():
    """The key of tokens, read again from time to time, so that a new one ends the old tokens."""
    if time.monotonic() >= kept["until"]:
        found = ssm.get_parameter(Name=settings.SIGNING_KEY, WithDecryption=True)
        kept["key"] = found["Parameter"]["Value"]
        kept["until"] = time.monotonic() + settings.KEY_SECONDS
    return kept["key"]


def issue(user, name):
    """A token for this user."""
    now = int(time.time())
    claims = {
        "sub": user,
        "name": name,
        "iss": settings.ISSUER,
        "iat": now,
        "exp": now + settings.TOKEN_SECONDS,
        "jti": secrets.token_hex(16),
    }
    return jwt.encode(claims, signing_key(), ALGORITHM)


def read(token):
    """The claims of a token that is good, or None."""
    try:
        claims = jwt.decode(
            token,
            signing_key(),
            algorithms=[ALGORITHM],
            issuer=settings.ISSUER,
            options={"require": list(CLAIMS)},
        )
    except jwt.InvalidTokenError:
        return None
    ended = table.get_item(Key={"id": f"ended#{claims['jti']}"}, ConsistentRead=True)
    return None if "Item" in ended else claims


def end(claims):
    """Let a token in no more; this is remembered for as long as it would have been good."""
    table.put_item(Item={"id": f"ended#{claims['jti']}", "expires": claims["exp"] + 60})


def count_try(name):
    """Count that a password is tried for this name, before it is. Raises TooManyTries."""
    now = int(time.time())
    window = now // settings.TRIES_SECONDS
    ends = (window + 1) * settings.TRIES_SECONDS
    counted = table.update_item(
        Key={"id": f"tries#{name}#{window}"},
        UpdateExpression="ADD tries :one SET expires = :ends",
        ExpressionAttributeValues={":one": 1, ":ends": ends},
        ReturnValues="ALL_NEW",
    )
    if counted["Attributes"]["tries"] > settings.TRIES_MAX:
        raise TooManyTries(ends - now)


def forget_tries(name):
    """Begin counting anew, since the password was right."""
    window = int(time.time()) // settings.TRIES_SECONDS
    table.delete_item(Key={"id": f"tries#{name}#{window}"})
