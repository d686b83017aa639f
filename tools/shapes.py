"""Writes `shapes.py` of services: the types of the requests and answers that are implemented.

`shapes.py` of a service is made from the names in its `@operation("…")` decorators and botocore's
models. Without names it does all services; `--check` only says which files are out of date.
"""

from __future__ import annotations

import argparse
import ast
import keyword
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from cumulet.wire.catalog import Catalog
from cumulet.wire.model import OperationModel, ServiceModel, Shape

SERVICES = Path(__file__).parents[1] / "src" / "cumulet" / "services"

MODELS = {
    "bedrock": ("bedrock-runtime", "bedrock"),
    "cloudwatch": ("logs", "cloudwatch"),
    "cognito": ("cognito-idp", "cognito-identity"),
    "apigateway": ("apigateway", "apigatewayv2", "apigatewaymanagementapi"),
    "dynamodb": ("dynamodb", "dynamodbstreams"),
    "iam": ("iam", "sts"),
    "lambda_": ("lambda",),
}
"""The models of a service's folder; a folder that is not here has the model of its own name."""

SCALARS = {
    "string": "str",
    "character": "str",
    "blob": "bytes",
    "boolean": "bool",
    "integer": "int",
    "long": "int",
    "float": "float",
    "double": "float",
    "timestamp": "float",
}
RESERVED = {"Any", "AsyncIterator", "Body", "NotRequired", "TypedDict"}


class Writer:
    """Collects the types of one service, each once, in the order of need."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}
        self._taken: dict[str, tuple[str, str]] = {}
        self._wanted: dict[str, str] = {}
        self.blocks: list[str] = []

    def add(self, operation: OperationModel) -> None:
        """The types of an operation's input and output, also by names made of the operation's."""
        for shape, suffix in ((operation.input, "Input"), (operation.output, "Output")):
            if shape is None:
                continue
            name = self._structure(shape, is_input=suffix == "Input", is_top=True)
            alias = operation.name + suffix
            self._wanted.setdefault(alias, name)

    @property
    def aliases(self) -> list[str]:
        """`CreateUserInput = CreateUserRequest`, where no shape of the model has the first name."""
        return [
            f"{alias} = {name}"
            for alias, name in self._wanted.items()
            if alias not in self._taken and alias not in RESERVED
        ]

    def _free(self, name: str, model: ServiceModel, shape_name: str) -> bool:
        key = (model.name, shape_name)
        return name not in RESERVED and self._taken.setdefault(name, key) == key

    def _structure(self, shape: Shape, *, is_input: bool, is_top: bool = False) -> str:
        key = (shape.service.name, shape.name)
        if key in self._names:
            return self._names[key]
        name = shape.name[:1].upper() + shape.name[1:]
        if keyword.iskeyword(name) or not self._free(name, shape.service, shape.name):
            name = shape.service.name.title().replace("-", "") + name
        self._taken[name] = key
        self._names[key] = name
        fields = {
            member: self._field(shape, member, one, is_input)
            for member, one in shape.members.items()
        }
        if is_top and not is_input:
            fields["ResponseMetadata"] = "NotRequired[dict[str, Any]]"
        self.blocks.append(_typed_dict(name, fields))
        return name

    def _field(self, shape: Shape, name: str, member: Shape, is_input: bool) -> str:
        kind = self._type(member, is_input)
        if shape.traits.get("payload") == name and member.traits.get("streaming"):
            kind = "Body" if is_input else "bytes | AsyncIterator[bytes]"
        if member.is_event_stream:
            kind = f"AsyncIterator[{kind}]"
        return kind if name in shape.required else f"NotRequired[{kind}]"

    def _type(self, shape: Shape, is_input: bool) -> str:
        match shape.type:
            case "structure":
                return "Any" if shape.is_document else self._structure(shape, is_input=is_input)
            case "list":
                return f"list[{self._type(shape.member, is_input)}]"
            case "map":
                return f"dict[str, {self._type(shape.value, is_input)}]"
        return SCALARS[shape.type]


def _typed_dict(name: str, fields: dict[str, str]) -> str:
    if any(keyword.iskeyword(field) or not field.isidentifier() for field in fields):
        told = "".join(f'        "{field}": "{kind}",\n' for field, kind in fields.items())
        return f'{name} = TypedDict(\n    "{name}",\n    {{\n{told}    }},\n)\n'
    body = "".join(f"    {field}: {kind}\n" for field, kind in fields.items()) or "    pass\n"
    return f"class {name}(TypedDict):\n{body}"


def operations_of(folder: Path) -> Iterator[str]:
    """The names in the `@operation("…")` decorators of a folder, in the order of files."""
    for path in sorted(folder.rglob("*.py")):
        if path.name == "shapes.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(), str(path))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for decorator in node.decorator_list:
                    yield from _named(decorator)


def _named(decorator: ast.expr) -> Iterator[str]:
    if not isinstance(decorator, ast.Call) or not decorator.args:
        return
    function, first = decorator.func, decorator.args[0]
    called = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    if called == "operation" and isinstance(first, ast.Constant) and isinstance(first.value, str):
        yield first.value


def generate(folder: Path, catalog: Catalog) -> str:
    """The text of a service's `shapes.py`."""
    writer = Writer()
    models = [catalog.service(name) for name in MODELS.get(folder.name, (folder.name,))]
    for name in sorted(set(operations_of(folder))):
        # A name that no model has is an action that AWS checks without an operation of that name.
        for model in models:
            if (operation := model.operation(name)) is not None:
                writer.add(operation)
    body = "\n\n".join(writer.blocks)
    aliases = "\n".join(writer.aliases)
    return (
        f"{_head(folder, body)}\n\n{body}\n\n{aliases}\n"
        if aliases
        else (f"{_head(folder, body)}\n\n{body}\n")
    )


def _head(folder: Path, body: str) -> str:
    imports = ["from __future__ import annotations", ""]
    if "AsyncIterator[" in body:
        imports.append("from collections.abc import AsyncIterator")
    names = [name for name in ("Any", "NotRequired", "TypedDict") if name in body]
    if names:
        imports.append(f"from typing import {', '.join(names)}")
    if re.search(r"[\[ ]Body\b[^:]", body):
        imports += ["", "from cumulet.core.http import Body"]
    title = folder.name.rstrip("_")
    return (
        f'"""Types of the requests and answers of {title}: generated by `make shapes`."""\n\n'
        + "\n".join(imports)
        + "\n"
    )


def main(arguments: Sequence[str]) -> int:
    """Write or check the files of the named services, or of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("services", nargs="*")
    parser.add_argument("--check", action="store_true", help="say what is out of date")
    options = parser.parse_args(arguments)
    names = options.services or sorted(
        path.name for path in SERVICES.iterdir() if path.is_dir() and any(operations_of(path))
    )
    stale = []
    with tempfile.TemporaryDirectory() as cache:
        catalog = Catalog(Path(cache))
        for name in names:
            folder = SERVICES / name
            text = generate(folder, catalog)
            target = folder / "shapes.py"
            if target.is_file() and target.read_text() == text:
                continue
            if options.check:
                stale.append(name)
            else:
                target.write_text(text)
                print(f"wrote {target.relative_to(SERVICES.parents[2])}")
    for name in stale:
        print(f"{name}/shapes.py is out of date: run `make shapes`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
