"""From the text of a template to plain values: JSON, or YAML with CloudFormation's short tags."""

from __future__ import annotations

import json
from typing import Any

import yaml

from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.limits import TEMPLATE_DEPTH_MAX

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER: Any = yaml.resolver.Resolver()
_SCALARS = yaml.constructor.SafeConstructor()

_CORE = "tag:yaml.org,2002:"
_AS_WRITTEN = frozenset({f"{_CORE}timestamp", f"{_CORE}merge", f"{_CORE}value", f"{_CORE}binary"})
"""What YAML 1.1 would read as a date or a merge stays text: AWS supports neither."""

SHORT_FUNCTIONS = frozenset(
    [
        "And",
        "Base64",
        "Cidr",
        "Contains",
        "EachMemberEquals",
        "EachMemberIn",
        "Equals",
        "FindInMap",
        "GetAZs",
        "If",
        "ImportValue",
        "Join",
        "Length",
        "Not",
        "Or",
        "RefAll",
        "Select",
        "Split",
        "Sub",
        "ToJsonString",
        "Transform",
        "ValueOf",
        "ValueOfAll",
    ]
)
"""Functions whose short tag is `!` and the name after `Fn::`."""


def parse_text(text: str) -> dict[str, Any]:
    """The template as plain values. Raises ValidationError in AWS's words.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
    """
    value = _parse_json(text) if text.lstrip()[:1] == "{" else parse_yaml(text)
    if not isinstance(value, dict):
        raise ValidationError("Template format error: unsupported structure.")
    return value


def _parse_json(text: str) -> Any:
    try:
        value = json.loads(text, object_pairs_hook=_pairs, parse_constant=_no_constant)
    except json.JSONDecodeError as cause:
        raise ValidationError(
            f"Template format error: JSON not well-formed. (line {cause.lineno}, "
            f"column {cause.colno})"
        ) from None
    except RecursionError:
        raise _too_deep() from None
    _check_depth(value)
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValidationError(f'Template format error: duplicate key "{twice}" in JSON.')
    return found


def _no_constant(name: str) -> Any:
    raise ValidationError(f"Template format error: JSON not well-formed. ({name} is no value)")


def _check_depth(value: Any) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > TEMPLATE_DEPTH_MAX:
            raise _too_deep()
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        level = inner


def _too_deep() -> ValidationError:
    return ValidationError(
        f"Template format error: the template is nested deeper than {TEMPLATE_DEPTH_MAX} levels."
    )


class _Open:
    """A map or list whose end has not come yet."""

    __slots__ = ("key", "tag", "value", "where")

    def __init__(self, value: Any, tag: str | None, where: Any) -> None:
        self.value = value
        self.tag = tag
        self.where = where
        self.key: str | None = None


def parse_yaml(text: str) -> Any:
    """One YAML document as plain values, short tags in their long form.

    Built from the parser's events without recursion, so that depth costs no stack, aliases cannot
    multiply the text, and no key is lost because it came twice.
    """
    try:
        return _build(text)
    except yaml.MarkedYAMLError as cause:
        raise _ill_formed(cause.problem_mark) from None
    except (yaml.YAMLError, ValueError):
        raise _ill_formed(None) from None


def _ill_formed(mark: Any, why: str = "") -> ValidationError:
    place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark is not None else ""
    return ValidationError(f"Template format error: YAML not well-formed.{why}{place}")


def _build(text: str) -> Any:
    stack: list[_Open] = []
    done: list[Any] = []
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise ValidationError(
                "Template error: YAML aliases are not allowed in CloudFormation templates"
            )
        if isinstance(event, yaml.DocumentStartEvent) and done:
            raise _ill_formed(event.start_mark, " The text holds more than one document.")
        if isinstance(event, yaml.ScalarEvent):
            if stack and isinstance(stack[-1].value, dict) and stack[-1].key is None:
                _take_key(stack[-1], event)
                continue
            _put(stack, done, _tagged(event.tag, _scalar(event), event.start_mark))
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            if stack and isinstance(stack[-1].value, dict) and stack[-1].key is None:
                raise _ill_formed(event.start_mark, " A key must be a text.")
            if len(stack) >= TEMPLATE_DEPTH_MAX:
                raise _too_deep()
            empty: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            stack.append(_Open(empty, event.tag, event.start_mark))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            ended = stack.pop()
            _put(stack, done, _tagged(ended.tag, ended.value, ended.where))
    return done[0] if done else None


def _take_key(into: _Open, event: Any) -> None:
    if event.value in into.value:
        raise _ill_formed(event.start_mark, f' Duplicate key "{event.value}".')
    if event.value == "<<" and event.implicit[0]:
        raise _ill_formed(event.start_mark, " Merge keys are not supported.")
    into.key = event.value


def _put(stack: list[_Open], done: list[Any], value: Any) -> None:
    if not stack:
        done.append(value)
        return
    top = stack[-1]
    if top.key is None:
        top.value.append(value)
    else:
        top.value[top.key] = value
        top.key = None


def _scalar(event: Any) -> Any:
    plain, _quoted = event.implicit
    if event.tag is not None and event.tag.startswith("!"):
        return event.value
    tag = event.tag or (
        _RESOLVER.resolve(yaml.ScalarNode, event.value, event.implicit) if plain else f"{_CORE}str"
    )
    if tag in _AS_WRITTEN or tag == f"{_CORE}str":
        return event.value
    node = yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark)
    if tag == f"{_CORE}null":
        return None
    if tag == f"{_CORE}bool":
        return _SCALARS.construct_yaml_bool(node)
    if tag == f"{_CORE}int":
        return _SCALARS.construct_yaml_int(node)
    if tag == f"{_CORE}float":
        return _float(node)
    raise _ill_formed(event.start_mark, f" Unsupported tag {tag}.")


def _float(node: yaml.ScalarNode) -> Any:
    number = _SCALARS.construct_yaml_float(node)
    finite = number - number == 0
    return number if finite else node.value


def _is_plain(tag: str, value: Any) -> bool:
    """Whether a tag of YAML's own says only what the value is anyway; scalars are read by then."""
    if isinstance(value, dict | list):
        return tag == f"{_CORE}{'map' if isinstance(value, dict) else 'seq'}"
    return True


def _tagged(tag: str | None, value: Any, where: Any) -> Any:
    if tag is None or tag == "!" or (tag.startswith(_CORE) and _is_plain(tag, value)):
        return value
    name = tag[1:]
    if name in ("Ref", "Condition"):
        return {name: value}
    if name == "GetAtt":
        return {"Fn::GetAtt": value.split(".", 1) if isinstance(value, str) else value}
    if name in SHORT_FUNCTIONS:
        return {f"Fn::{name}": value}
    raise _ill_formed(where, f" Unknown tag {tag}.")
