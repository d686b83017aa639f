"""XML elements to and from shapes: bodies of rest-xml, and the answers of the query protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from cumulet.wire.model import Shape
from cumulet.wire.values.scalars import (
    format_blob,
    format_float,
    format_timestamp,
    parse_blob,
    parse_boolean,
    parse_float,
    parse_integer,
    parse_timestamp,
    timestamp_form,
)
from cumulet.wire.values.sharing import shared
from cumulet.wire.values.xml_text import escape, local_name

Reader = Callable[[Element], Any]
Parts = list[str]
Writer = Callable[[Parts, str, Any], None]
"""Appends the element of that name to the parts."""

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"

_PARSERS: dict[str, Callable[[str], Any]] = {
    "boolean": parse_boolean,
    "integer": parse_integer,
    "long": parse_integer,
    "float": parse_float,
    "double": parse_float,
    "blob": parse_blob,
    "timestamp": parse_timestamp,
}


def query_name(shape: Shape, default: str) -> str:
    """The name in query requests and their answers: SQS's differ from its JSON names."""
    found: str = shape.traits.get("queryName") or shape.wire_name(default)
    return found


def is_flat(shape: Shape) -> bool:
    """Whether a list or map has no element around it."""
    return bool(shape.traits.get("flattened"))


def xml_reader(shape: Shape) -> Reader:
    """A closure that reads one element as the shape."""
    if shape.type == "structure":
        found: Reader = shared("xml-read", shape, lambda: members_reader(shape.members))
        return found
    if shape.type == "list":
        return _list_reader(shape)
    if shape.type == "map":
        return _map_reader(shape)
    parse = _PARSERS.get(shape.type)
    if parse is None:
        return lambda element: element.text or ""
    return lambda element: parse((element.text or "").strip())


def members_reader(members: dict[str, Shape]) -> Reader:
    """A closure for an element whose children are the given members; others are ignored."""
    plain: dict[str, tuple[str, Reader]] = {}
    flat_lists: dict[str, tuple[str, Reader]] = {}
    flat_maps: dict[str, tuple[str, Callable[[Element, dict[str, Any]], None]]] = {}
    attributes: dict[str, str] = {}
    for name, member in members.items():
        wire_name = member.wire_name(name)
        if member.traits.get("xmlAttribute"):
            attributes[wire_name.replace("xsi:", _XSI)] = name
        elif member.type == "list" and is_flat(member):
            flat_lists[wire_name] = (name, xml_reader(member.member))
        elif member.type == "map" and is_flat(member):
            flat_maps[wire_name] = (name, _entry_reader(member))
        else:
            plain[wire_name] = (name, xml_reader(member))

    def read(element: Element) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for child in element:
            tag = local_name(child.tag)
            found = plain.get(tag)
            if found is not None:
                result[found[0]] = found[1](child)
            elif tag in flat_lists:
                name, read_item = flat_lists[tag]
                result.setdefault(name, []).append(read_item(child))
            elif tag in flat_maps:
                name, read_entry = flat_maps[tag]
                read_entry(child, result.setdefault(name, {}))
        for attribute, name in attributes.items():
            if attribute in element.attrib:
                result[name] = element.attrib[attribute]
        return result

    return read


def _list_reader(shape: Shape) -> Reader:
    read_item = xml_reader(shape.member)
    return lambda element: [read_item(child) for child in element]


def _entry_reader(shape: Shape) -> Callable[[Element, dict[str, Any]], None]:
    key_name = shape.key.wire_name("key")
    value_name = shape.value.wire_name("value")
    read_value = xml_reader(shape.value)

    def read(element: Element, result: dict[str, Any]) -> None:
        key = None
        value = None
        for child in element:
            tag = local_name(child.tag)
            if tag == key_name:
                key = child.text or ""
            elif tag == value_name:
                value = read_value(child)
        if key is not None and value is not None:
            result[key] = value

    return read


def _map_reader(shape: Shape) -> Reader:
    read_entry = _entry_reader(shape)

    def read(element: Element) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for child in element:
            read_entry(child, result)
        return result

    return read


def xml_writer(shape: Shape) -> Writer:
    """A closure that writes the shape's value as an element."""
    namespace = _namespace(shape)
    match shape.type:
        case "structure":
            body = shared("xml-write", shape, lambda: members_writer(shape.members))
            return _structure_writer(body, attributes_writer(shape.members), namespace)
        case "list":
            return _list_writer(shape, namespace)
        case "map":
            return _map_writer(shape, namespace)
    format_one = text_formatter(shape)

    def write(parts: Parts, name: str, value: Any) -> None:
        parts.append(f"<{name}{namespace}>{format_one(value)}</{name}>")

    return write


def text_formatter(shape: Shape, default_time: str = "iso8601") -> Callable[[Any], str]:
    """How a plain value is told as escaped text."""
    match shape.type:
        case "boolean":
            return lambda value: "true" if value else "false"
        case "integer" | "long":
            return str
        case "float" | "double":
            return format_float
        case "blob":
            return format_blob
        case "timestamp":
            form = timestamp_form(shape, default_time)
            return lambda value: format_timestamp(value, form)
    return escape


def _namespace(shape: Shape) -> str:
    found = shape.traits.get("xmlNamespace")
    if not found:
        return ""
    if isinstance(found, str):
        return f' xmlns="{escape(found)}"'
    prefix = f":{found['prefix']}" if found.get("prefix") else ""
    return f' xmlns{prefix}="{escape(found["uri"])}"'


def attributes_writer(members: dict[str, Shape]) -> Callable[[Any], str] | None:
    """A function that tells the members which are attributes of their structure's element."""
    names = {
        name: member.wire_name(name)
        for name, member in members.items()
        if member.traits.get("xmlAttribute")
    }
    if not names:
        return None
    return lambda value: "".join(
        f' {wire_name}="{escape(value[name])}"'
        for name, wire_name in names.items()
        if value.get(name) is not None
    )


def _structure_writer(
    write_body: Callable[[Parts, Any], None],
    attributes: Callable[[Any], str] | None,
    namespace: str,
) -> Writer:
    def write(parts: Parts, name: str, value: Any) -> None:
        parts.append(f"<{name}{namespace}>")
        write_body(parts, value)
        parts.append(f"</{name}>")

    if attributes is None:
        return write
    tell = attributes

    def write_with_attributes(parts: Parts, name: str, value: Any) -> None:
        parts.append(f"<{name}{namespace}{tell(value)}>")
        write_body(parts, value)
        parts.append(f"</{name}>")

    return write_with_attributes


def members_writer(members: dict[str, Shape]) -> Callable[[Parts, Any], None]:
    """A closure for what is inside a structure; an unknown member is our mistake: KeyError."""
    table: dict[str, tuple[str, Writer] | None] = {}
    for name, member in members.items():
        if member.traits.get("xmlAttribute"):
            table[name] = None
        else:
            table[name] = (_element_name(name, member), xml_writer(member))

    def write(parts: Parts, value: Any) -> None:
        for name, item in value.items():
            found = table[name]
            if item is not None and found is not None:
                found[1](parts, found[0], item)

    return write


def _element_name(name: str, member: Shape) -> str:
    """A flattened list without a name of its own takes that of what it holds."""
    default = name
    if member.type == "list" and is_flat(member):
        default = member.member.wire_name(name)
    return query_name(member, default)


def _list_writer(shape: Shape, namespace: str) -> Writer:
    write_item = xml_writer(shape.member)
    item_name = shape.member.wire_name("member")

    def write(parts: Parts, name: str, value: Any) -> None:
        parts.append(f"<{name}{namespace}>")
        for item in value:
            write_item(parts, item_name, item)
        parts.append(f"</{name}>")

    def write_flat(parts: Parts, name: str, value: Any) -> None:
        for item in value:
            write_item(parts, name, item)

    return write_flat if is_flat(shape) else write


def _map_writer(shape: Shape, namespace: str) -> Writer:
    key_name = query_name(shape.key, "key")
    value_name = query_name(shape.value, "value")
    write_value = xml_writer(shape.value)

    def entries(parts: Parts, name: str, value: Any) -> None:
        for key, item in value.items():
            if item is not None:
                parts.append(f"<{name}><{key_name}>{escape(key)}</{key_name}>")
                write_value(parts, value_name, item)
                parts.append(f"</{name}>")

    def write(parts: Parts, name: str, value: Any) -> None:
        parts.append(f"<{name}{namespace}>")
        entries(parts, "entry", value)
        parts.append(f"</{name}>")

    return entries if is_flat(shape) else write
