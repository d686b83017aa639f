"""The four results of two numbers, for a direct invocation and for API Gateway."""

import json
from numbers import Real


class BadInput(Exception):
    """The event does not hold two numbers."""


def calculate(first, second):
    """Sum, product, difference and quotient. Raises ZeroDivisionError for a zero divisor."""
    return {
        "sum": first + second,
        "product": first * second,
        "difference": first - second,
        "quotient": first / second,
    }


def read_number(values, name):
    """The number called `name`; text is read as a number, as query strings carry it."""
    value = values.get(name)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = None
    if not isinstance(value, Real) or isinstance(value, bool):
        raise BadInput(f"{name} must be a number")
    return value


def handler(event, context):
    """Answer `{"Number1": …, "Number2": …}`, as an event of its own or in an HTTP request."""
    if "httpMethod" not in event:
        return calculate(read_number(event, "Number1"), read_number(event, "Number2"))
    if event["resource"] == "/health":
        return answer(200, {"status": "ok"})
    try:
        if event["httpMethod"] in ("GET", "DELETE"):
            values = event.get("queryStringParameters") or {}
        else:
            values = json.loads(event.get("body") or "{}")
        if not isinstance(values, dict):
            raise BadInput("the body must be a JSON object")
        first, second = read_number(values, "Number1"), read_number(values, "Number2")
        return answer(200, calculate(first, second))
    except (BadInput, ValueError) as problem:
        return answer(400, {"message": str(problem)})
    except ZeroDivisionError:
        return answer(422, {"message": "Number2 must not be zero"})


def answer(status, body):
    """A proxy response for API Gateway."""
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*"},
        "body": json.dumps(body),
    }
