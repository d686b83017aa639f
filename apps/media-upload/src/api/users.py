"""Users and their passwords, of which only a memory-hard hash is kept (Argon2id)."""

import secrets
import time

import boto3
import settings
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

# https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)
NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlz$"
    "qkq6JZ7mVwT2fVb8pHk0oZ3nS4mUuYw1r9cXeLdGtBA"
)
"""A hash that no password has: who does not exist takes as long to refuse as who does."""

table = boto3.resource("dynamodb").Table(settings.USERS)


class NameTaken(Exception):
    """Somebody else has this name."""


def sign_up(name, password):
    """Make a user. Raises NameTaken."""
    user = {
        "name": name,
        "id": secrets.token_hex(12),
        "password": hasher.hash(password),
        "created": int(time.time()),
    }
    try:
        table.put_item(
            Item=user,
            ConditionExpression="attribute_not_exists(#name)",
            ExpressionAttributeNames={"#name": "name"},
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        raise NameTaken(name) from None


def find(name, password):
    """The id of the user whose name and password these are, or None."""
    user = table.get_item(Key={"name": name}, ConsistentRead=True).get("Item")
    stored = user["password"] if user else NOBODY
    try:
        hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return None
    if hasher.check_needs_rehash(stored):
        table.update_item(
            Key={"name": name},
            UpdateExpression="SET #password = :new",
            ConditionExpression="#password = :old",
            ExpressionAttributeNames={"#password": "password"},
            ExpressionAttributeValues={":new": hasher.hash(password), ":old": stored},
        )
    return user["id"] if user else None
