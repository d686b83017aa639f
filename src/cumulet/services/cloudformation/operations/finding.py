"""Finding the stack that a request names, and the ARN that permission is asked for."""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token, read_token
from cumulet.services.cloudformation import store
from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.model import Stack


def stack_arn(ctx: Context, request: Any) -> str:
    """The ARN of the stack that a request names by name or ARN; any stack when it names none."""
    name = request.get("StackName") or ""
    if name.startswith("arn:"):
        return str(name)
    return ctx.scope.arn("cloudformation", f"stack/{name or '*'}/*")


def change_set_arn(ctx: Context, request: Any) -> str:
    """What permission on a change set is asked for: its stack, when that is named."""
    name = request.get("ChangeSetName") or ""
    if request.get("StackName") or not name.startswith("arn:"):
        return stack_arn(ctx, request)
    return ctx.scope.arn("cloudformation", "stack/*/*")


async def find_stack(ctx: Context, name: str) -> Stack | None:
    """A living stack by name, or any by ARN."""

    async def load(tx: Any, scope: Scope) -> Stack | None:
        return await store.load_stack(tx, scope, name)

    return await ctx.transact(load)


async def need_stack(
    ctx: Context, name: str, words: str = "Stack with id {} does not exist"
) -> Stack:
    """The stack. Raises ValidationError when there is none."""
    stack = await find_stack(ctx, name)
    if stack is None:
        raise ValidationError(words.format(name))
    return stack


async def need_living_stack(ctx: Context, name: str) -> Stack:
    """The stack, not deleted. Raises ValidationError when there is none."""
    stack = await need_stack(ctx, name, "Stack [{}] does not exist")
    if not stack.exists:
        raise ValidationError(f"Stack [{name}] does not exist")
    return stack


def page_start(request: Any) -> Any:
    """The position in a request's NextToken, None at the beginning. Raises ValidationError."""
    token = request.get("NextToken")
    if not token:
        return None
    try:
        return read_token(token)
    except ValueError:
        raise ValidationError("Invalid NextToken") from None


def page(name: str, items: list[Any], size: int, position: Any) -> dict[str, Any]:
    """An answer with at most `size` items; `position(item)` is where the next page begins."""
    answer: dict[str, Any] = {name: items[:size]}
    if len(items) > size:
        answer["NextToken"] = make_token(position(items[size - 1]))
    return answer
