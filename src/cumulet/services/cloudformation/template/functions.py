"""The intrinsic functions: from a node of a template and a scene to a value.

Follows
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
Conditions are in `conditions.py`, the functions of Rules in `rules.py`.
"""

from __future__ import annotations

import base64
import ipaddress
import itertools
import re
from collections.abc import Callable
from typing import Any

from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.template.scene import Scene
from cumulet.services.cloudformation.template.values import (
    NO_VALUE,
    Unknown,
    as_text,
    to_json,
    unknown_in,
    without_none,
)

SUB_PLACE = re.compile(r"\$\{([^}]*)\}")
_SUB_NAME = re.compile(r"[A-Za-z0-9_.:]+\Z")
_JOIN = (
    "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of "
    "strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be "
    "joined."
)
_SPLIT = (
    "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be "
    "split or a function that returns a string to be split."
)
_SUB = (
    "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as "
    "first argument, and an optional second argument to specify a mapping of values to replace in "
    "the string"
)
_FIND = (
    "every Fn::FindInMap object requires three parameters, the map name, map key and the attribute "
    "for return value"
)
_GET_ATT = (
    "every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource "
    "attribute"
)


def evaluate(node: Any, scene: Scene) -> Any:
    """The value of `node`: plain, `Unknown`, or NO_VALUE; containers may hold `Unknown`.

    Raises ValidationError in AWS's words.
    """
    if isinstance(node, dict):
        name = function_name(node)
        if name is None:
            return without_none({key: evaluate(value, scene) for key, value in node.items()})
        return _call(name, node[name], scene)
    if isinstance(node, list):
        return [item for part in node if (item := evaluate(part, scene)) is not NO_VALUE]
    return node


def function_name(node: dict[str, Any]) -> str | None:
    """The function that this map calls, or None when it is a plain map."""
    if len(node) == 1:
        (name,) = node
        return name if name == "Ref" or name.startswith("Fn::") else None
    for name in node:
        if name.startswith("Fn::"):
            raise error(f"{name} must be the only member of its object.")
    return None


def error(words: str) -> ValidationError:
    """AWS's form of a template error."""
    return ValidationError(f"Template error: {words}")


def _call(name: str, given: Any, scene: Scene) -> Any:
    function = _FUNCTIONS.get(name)
    if function is None:
        raise ValidationError(
            f"Encountered unsupported function: {name} "
            f"Supported functions are: [{', '.join(sorted(_FUNCTIONS))}]"
        )
    return function(given, scene)


def _ref(given: Any, scene: Scene) -> Any:
    given = evaluate(given, scene) if scene.extended else given
    if not isinstance(given, str):
        raise ValidationError("Template format error: Every Ref object must have a single String.")
    return lookup_ref(given, scene)


def lookup_ref(name: str, scene: Scene) -> Any:
    """What `Ref: name` gives."""
    if name == "AWS::NoValue":
        return NO_VALUE
    if name in scene.values:
        return scene.values[name]
    if name in scene.made:
        return scene.made[name].ref
    if name in scene.declared:
        return Unknown(frozenset({name}))
    raise ValidationError(
        f"Template format error: Unresolved resource dependencies [{name}] in the Resources block "
        "of the template"
    )


def _get_att(given: Any, scene: Scene) -> Any:
    if isinstance(given, str):
        given = given.split(".", 1)
    if not isinstance(given, list) or len(given) != 2:
        raise error(_GET_ATT)
    name, attribute = (evaluate(part, scene) for part in given)
    if not (isinstance(name, str) and name and isinstance(attribute, str) and attribute):
        raise error(_GET_ATT)
    return lookup_attribute(name, attribute, scene)


def lookup_attribute(name: str, attribute: str, scene: Scene) -> Any:
    """What `Fn::GetAtt: [name, attribute]` gives."""
    if name not in scene.declared:
        raise error(f"instance of Fn::GetAtt references undefined resource {name}")
    known = scene.attributes.get(name)
    if known is not None and attribute not in known:
        raise _no_attribute(name, attribute)
    made = scene.made.get(name)
    if made is None or not made.settled:
        return Unknown(frozenset({f"{name}.{attribute}"}))
    if attribute in made.attributes:
        return made.attributes[attribute]
    raise _no_attribute(name, attribute)


def _no_attribute(name: str, attribute: str) -> ValidationError:
    return error(f"resource {name} does not support attribute type {attribute} in Fn::GetAtt")


def _join(given: Any, scene: Scene) -> Any:
    if not isinstance(given, list) or len(given) != 2:
        raise error(_JOIN)
    mark, items = evaluate(given[0], scene), evaluate(given[1], scene)
    if (unknown := unknown_in([mark, items])) is not None:
        return unknown
    if not isinstance(mark, str) or not isinstance(items, list):
        raise error(_JOIN)
    texts = [as_text(item) for item in items]
    if any(text is None for text in texts):
        raise error(_JOIN)
    return mark.join(text for text in texts if text is not None)


def _split(given: Any, scene: Scene) -> Any:
    if not isinstance(given, list) or len(given) != 2:
        raise error(_SPLIT)
    mark, text = evaluate(given[0], scene), evaluate(given[1], scene)
    if (unknown := unknown_in([mark, text])) is not None:
        return unknown
    if not isinstance(mark, str) or not mark or not isinstance(text, str):
        raise error(_SPLIT)
    return text.split(mark)


def _select(given: Any, scene: Scene) -> Any:
    if not isinstance(given, list) or len(given) != 2:
        raise error("Fn::Select requires a list argument with two elements: an index and a list")
    index, items = evaluate(given[0], scene), evaluate(given[1], scene)
    if isinstance(index, Unknown) or isinstance(items, Unknown):
        return unknown_in([index, items])
    text = as_text(index)
    if text is None or not re.fullmatch(r"\d{1,9}", text):
        raise error("Fn::Select requires its first argument to be a non-negative integer index")
    if not isinstance(items, list):
        raise error("Fn::Select requires a list as its second argument")
    if int(text) >= len(items):
        raise error(f"Fn::Select cannot select nonexistent value at index {text}")
    return items[int(text)]


def _sub(given: Any, scene: Scene) -> Any:
    text, own = given, {}
    if isinstance(given, list):
        if len(given) != 2 or not isinstance(given[1], dict):
            raise error(_SUB)
        text, own = given
    if not isinstance(text, str):
        raise error(_SUB)
    values = {name: evaluate(value, scene) for name, value in own.items()}
    parts: list[Any] = []
    end = 0
    for match in SUB_PLACE.finditer(text):
        parts.append(text[end : match.start()])
        parts.append(_sub_value(match[1], values, scene))
        end = match.end()
    parts.append(text[end:])
    return unknown_in(parts) or "".join(parts)


def _sub_value(name: str, own: dict[str, Any], scene: Scene) -> Any:
    if name.startswith("!"):
        return f"${{{name[1:]}}}"
    if not _SUB_NAME.match(name):
        raise error(
            "variable names in Fn::Sub syntax must contain only alphanumeric characters, "
            "underscores, periods, and colons"
        )
    if name in own:
        value = own[name]
    elif "." in name:
        owner, attribute = name.split(".", 1)
        value = lookup_attribute(owner, attribute, scene)
    else:
        value = lookup_ref(name, scene)
    if value is NO_VALUE:
        return ""
    if isinstance(value, Unknown):
        return value
    text = as_text(value)
    if text is None:
        raise error(f"Fn::Sub expression does not resolve to a string: {name}")
    return text


def _if(given: Any, scene: Scene) -> Any:
    if not isinstance(given, list) or len(given) != 3 or not isinstance(given[0], str):
        raise error("Fn::If requires a list argument with three elements")
    if given[0] not in scene.conditions:
        raise error(f"unresolved condition dependency {given[0]} in Fn::If")
    return evaluate(given[1] if scene.conditions[given[0]] else given[2], scene)


def _base64(given: Any, scene: Scene) -> Any:
    value = evaluate(given, scene)
    if isinstance(value, Unknown):
        return value
    text = as_text(value)
    if text is None:
        raise error("every Fn::Base64 object must have a String-typed value.")
    return base64.b64encode(text.encode()).decode()


def _find_in_map(given: Any, scene: Scene) -> Any:
    if not isinstance(given, list) or len(given) not in (3, 4):
        raise error(_FIND)
    default: Any = None
    if len(given) == 4:
        if (
            not scene.extended
            or not isinstance(given[3], dict)
            or list(given[3]) != ["DefaultValue"]
        ):
            raise error(_FIND)
        default = given[3]
    path = [evaluate(part, scene) for part in given[:3]]
    if (unknown := unknown_in(path)) is not None:
        return unknown
    texts = [as_text(part) for part in path]
    found: Any = scene.mappings
    for text in texts:
        if text is None:
            raise error(_FIND)
        if not isinstance(found, dict) or text not in found:
            if default is not None:
                return evaluate(default["DefaultValue"], scene)
            raise error(f"Unable to get mapping for {'::'.join(str(t) for t in texts)}")
        found = found[text]
    return found


def _import_value(given: Any, scene: Scene) -> Any:
    name = evaluate(given, scene)
    if isinstance(name, Unknown):
        raise error("the attribute in Fn::ImportValue must not depend on any resources.")
    text = as_text(name)
    if text is None:
        raise error("Fn::ImportValue requires a name that is a string")
    if scene.exports is None:
        return Unknown(frozenset({f"export {text}"}))
    if text not in scene.exports:
        raise ValidationError(f"No export named {text} found.")
    return scene.exports[text]


def _get_azs(given: Any, scene: Scene) -> Any:
    region = evaluate(given, scene)
    if isinstance(region, Unknown):
        return region
    if not isinstance(region, str):
        raise error("Fn::GetAZs requires a region name")
    region = region or scene.values["AWS::Region"]
    return [f"{region}{letter}" for letter in "abc"]


def _cidr(given: Any, scene: Scene) -> Any:
    if not isinstance(given, list) or len(given) not in (2, 3):
        raise error("Fn::Cidr requires a list argument with two or three elements")
    values = [evaluate(part, scene) for part in given]
    if (unknown := unknown_in(values)) is not None:
        return unknown
    try:
        block = ipaddress.ip_network(values[0], strict=False)
        count = int(values[1])
        bits = int(values[2]) if len(values) == 3 else block.max_prefixlen - block.prefixlen
        subnets = block.subnets(new_prefix=block.max_prefixlen - bits)
        found = [str(net) for net in itertools.islice(subnets, count)]
    except (ValueError, TypeError):
        raise error(f"Fn::Cidr cannot divide {values[0]}") from None
    if not 1 <= count <= 256 or len(found) < count:
        raise error(f"Fn::Cidr cannot make {count} blocks from {values[0]}")
    return found


def _length(given: Any, scene: Scene) -> Any:
    _require_extensions("Fn::Length", scene)
    value = evaluate(given, scene)
    if isinstance(value, Unknown):
        return value
    if not isinstance(value, list):
        raise error("Fn::Length requires a list")
    return len(value)


def _to_json_string(given: Any, scene: Scene) -> Any:
    _require_extensions("Fn::ToJsonString", scene)
    value = evaluate(given, scene)
    if (unknown := unknown_in(value)) is not None:
        return unknown
    if not isinstance(value, dict | list):
        raise error("Fn::ToJsonString requires an object or a list")
    return to_json(value)


def _require_extensions(name: str, scene: Scene) -> None:
    if not scene.extended:
        raise error(f"{name} needs the transform AWS::LanguageExtensions")


_FUNCTIONS: dict[str, Callable[[Any, Scene], Any]] = {
    "Fn::Base64": _base64,
    "Fn::Cidr": _cidr,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAZs": _get_azs,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::ImportValue": _import_value,
    "Fn::Join": _join,
    "Fn::Length": _length,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
    "Fn::ToJsonString": _to_json_string,
    "Ref": _ref,
}
