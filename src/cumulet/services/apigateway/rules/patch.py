"""API Gateway's patch operations: JSON Patch in form, but each resource allows only its own paths.

Follows https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html. AWS words the
refusal differently from resource to resource: those are the three dialects below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cumulet.services.apigateway.errors import BadRequestException, NotFoundException
from cumulet.services.apigateway.limits import PATCHES_MAX

Operations = Sequence[Mapping[str, Any]]
Dialect = Callable[["Patch", "Sequence[Rule]", "Rule | None"], BadRequestException]
Read = Callable[[str], Any]

REPLACE = ("replace",)
ADD_REMOVE = ("add", "remove")
ALL = ("add", "remove", "replace")


@dataclass(frozen=True, slots=True)
class Patch:
    """One operation as sent; `segments` are the parts of its path without their escapes."""

    op: str
    path: str
    value: str | None
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A path that may be patched.

    `path` may end with `/{}` for the keys of a map or the items of a set. `read` turns the text
    of a value into what is kept. `missing` is the sentence when a map has no key to replace or
    remove; replacing in `entries`, a map too, adds what is not there. The items of `values` are
    named by the patch's value, not by its path.
    """

    path: str
    ops: tuple[str, ...] = REPLACE
    read: Read = str
    kind: Literal["field", "map", "entries", "set", "values"] = "field"
    missing: str = "Invalid parameter name specified"

    @property
    def segments(self) -> tuple[str, ...]:
        """The parts of the path without the open end."""
        return tuple(self.path.removesuffix("/{}").split("/")[1:])

    def matches(self, segments: tuple[str, ...]) -> bool:
        """Whether a patch's path is this one."""
        fixed = self.segments
        if self.kind in ("field", "values"):
            return segments == fixed
        return len(segments) == len(fixed) + 1 and segments[:-1] == fixed


def apply_patches(
    document: dict[str, Any],
    operations: Operations | None,
    rules: Sequence[Rule],
    dialect: Dialect,
) -> dict[str, Any]:
    """A new document with the operations done in order; all or none.

    Raises BadRequestException in the dialect's words, NotFoundException for a missing key.
    """
    if operations is not None and len(operations) > PATCHES_MAX:
        raise BadRequestException(f"At most {PATCHES_MAX} patch operations can be sent at once.")
    for given in operations or ():
        patch = parse_patch(given)
        rule = next((rule for rule in rules if rule.matches(patch.segments)), None)
        if rule is None or patch.op not in rule.ops:
            raise dialect(patch, rules, rule)
        document = _apply(document, patch, rule)
    return document


def parse_patch(given: Mapping[str, Any]) -> Patch:
    """Read one operation. Raises BadRequestException when its path is none."""
    path = given.get("path")
    if not isinstance(path, str) or not path.startswith("/"):
        raise BadRequestException(f"Invalid patch path {'null' if path is None else path}")
    parts = (part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:])
    return Patch(str(given.get("op", "")), path, given.get("value"), tuple(parts))


def _apply(document: dict[str, Any], patch: Patch, rule: Rule) -> dict[str, Any]:
    *parents, last = rule.segments
    if parents:
        inner = dict(document.get(parents[0]) or {})
        nested = Rule("/" + "/".join(rule.segments[1:]), rule.ops, rule.read, rule.kind)
        if rule.kind in ("map", "entries", "set"):
            nested = Rule(nested.path + "/{}", rule.ops, rule.read, rule.kind, rule.missing)
        changed = _apply(inner, patch, nested)
        return {**document, parents[0]: changed}
    if rule.kind == "field":
        return _set_field(document, last, patch, rule)
    if rule.kind == "set":
        return _set_item(document, last, patch)
    if rule.kind == "values":
        return _set_value(document, last, patch)
    return _set_entry(document, last, patch, rule)


def _set_field(document: dict[str, Any], name: str, patch: Patch, rule: Rule) -> dict[str, Any]:
    if patch.op == "remove" or patch.value is None:
        return {key: value for key, value in document.items() if key != name}
    return {**document, name: rule.read(patch.value)}


def _set_item(document: dict[str, Any], name: str, patch: Patch) -> dict[str, Any]:
    item = patch.segments[-1]
    items = list(document.get(name) or ())
    if patch.op == "add" and item not in items:
        items.append(item)
    elif patch.op == "remove":
        items = [kept for kept in items if kept != item]
    elif patch.op == "replace":
        # AWS puts the new value behind the ones that stay.
        items = [kept for kept in items if kept not in (item, patch.value)]
        items.append(patch.value or "")
    return {**document, name: items}


def _set_value(document: dict[str, Any], name: str, patch: Patch) -> dict[str, Any]:
    items = list(document.get(name) or ())
    named = [item for item in (patch.value or "").split(",") if item]
    if patch.op == "replace":
        items = named
    elif patch.op == "remove":
        items = [kept for kept in items if named and kept not in named]
    else:
        items += [item for item in named if item not in items]
    return {**document, name: items}


def _set_entry(document: dict[str, Any], name: str, patch: Patch, rule: Rule) -> dict[str, Any]:
    key = patch.segments[-1]
    entries = dict(document.get(name) or {})
    is_needed = patch.op == "remove" if rule.kind == "entries" else patch.op != "add"
    if is_needed and key not in entries:
        raise NotFoundException(rule.missing)
    if patch.op == "remove":
        del entries[key]
    else:
        entries[key] = rule.read(patch.value or "")
    if entries:
        return {**document, name: entries}
    return {key: value for key, value in document.items() if key != name}


def terse(patch: Patch, rules: Sequence[Rule], rule: Rule | None) -> BadRequestException:
    """The dialect of APIs, methods, integrations and their responses."""
    if rule is None:
        return BadRequestException(f"Invalid patch path {patch.path}")
    allowed = ", ".join(sorted(rule.ops))
    return BadRequestException(f"Invalid patch operation specified. Must be one of: [{allowed}]")


def listing(patch: Patch, rules: Sequence[Rule], rule: Rule | None) -> BadRequestException:
    """The dialect of resources, models, validators and deployments. AWS writes two spaces."""
    paths = ", ".join(known.path for known in rules if patch.op in known.ops)
    hint = f"Must be one of: [{paths}]" if paths else "Please choose supported operations"
    return BadRequestException(
        f"Invalid patch path  '{patch.path}' specified for op '{patch.op}'. {hint}"
    )


def read_flag(text: str) -> bool:
    """True for `true` in any case, false for everything else, as AWS reads it."""
    return text.lower() == "true"


def optional_text(text: str) -> str | None:
    """The text, or None for an empty one."""
    return text or None
