"""How the functions answer API Gateway: routes, JSON, refusals."""

import base64
import json
import os
from urllib.parse import unquote


class Refused(Exception):
    """What the caller did wrong, with the status that says so, and what else it should know."""

    def __init__(self, status, message, **more):
        super().__init__(message)
        self.status = status
        self.body = {"message": message, **more}


def routed(routes):
    """A handler for `{(method, resource): work}`; work gets a Call, gives a status and a body."""

    def handler(event, context):
        try:
            return answer(*routes[event["httpMethod"], event["resource"]](Call(event)))
        except Refused as refusal:
            return answer(refusal.status, refusal.body)

    return handler


class Call:
    """One request as the gateway hands it over."""

    def __init__(self, event):
        self._event = event
        self.query = event.get("queryStringParameters") or {}
        self.headers = {name.lower(): text for name, text in (event.get("headers") or {}).items()}

    def path(self, name):
        # Names hold no per cent sign, so it does no harm when the gateway has done it already.
        return unquote(self._event["pathParameters"][name])

    def json(self):
        text = self._event.get("body") or ""
        if self._event.get("isBase64Encoded"):
            text = base64.b64decode(text)
        try:
            value = json.loads(text)
            # Halves of characters can be said in JSON, and stored nowhere.
            json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            raise Refused(400, "The body must be JSON.") from None
        if not isinstance(value, dict):
            raise Refused(400, "The body must be a JSON object.")
        return value

    def version(self):
        """The version that the caller has seen, as `If-Match` says it."""
        given = self.headers.get("if-match")
        if given is None:
            raise Refused(428, "Say in If-Match which version you have seen.")
        bare = given.strip().removeprefix("W/").strip('"')
        if not (bare.isascii() and bare.isdecimal() and len(bare) <= 15):
            raise Refused(400, 'If-Match must be a version such as "3".')
        return int(bare)


def answer(status, body=None):
    headers = {
        "Access-Control-Allow-Origin": os.environ["ORIGIN"],
        "Access-Control-Expose-Headers": "ETag",
        "Cache-Control": "no-store",
        "Content-Type": "application/json",
    }
    if body and "version" in body:
        headers["ETag"] = f'"{body["version"]}"'
    text = "" if body is None else json.dumps(body, ensure_ascii=False)
    return {"statusCode": status, "headers": headers, "body": text}


def cursor_of(key):
    """Where a list went on to, as a word for an address; None at its end."""
    if key is None:
        return None
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def key_of(cursor):
    """The key in a cursor. The table refuses one that is of another list."""
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        key = None
    texts = isinstance(key, dict) and key and all(isinstance(one, str) for one in key.values())
    if not texts:
        raise Refused(400, "after must be what `next` of a list said.")
    return key
