"""Reading mapping templates: the Velocity language as API Gateway has it.

Follows https://velocity.apache.org/engine/1.7/vtl-reference.html. Macros are not run by API
Gateway: a directive that is not known here stays text.
"""

from __future__ import annotations

import re

from cumulet.services.apigateway.templates.expressions import ExpressionReader
from cumulet.services.apigateway.templates.nodes import (
    Assign,
    Block,
    Choice,
    Define,
    Expression,
    Leave,
    Loop,
    Node,
    TemplateError,
    Text,
)

DEPTH_MAX = 50
"""Nesting of blocks, strings and expressions."""

_PLAIN = re.compile(r"[^$#\\]+")
_DIRECTIVE = re.compile(
    r"#(?:\{(set|if|elseif|else|end|foreach|define|break|stop)\}"
    r"|(set|if|elseif|else|end|foreach|define|break|stop)(?![A-Za-z0-9_]))"
)
_REFERENCE = re.compile(r"\$!?\{?[A-Za-z_]")
_BLANK_END = re.compile(r"(?<![ \t\r\n])[ \t]+\Z")
_REST_OF_LINE = re.compile(r"[ \t]*(?:\r\n|\n|\r)")
_NEWLINE = re.compile(r"\r\n|\n|\r")


def parse_template(text: str) -> Block:
    """The parts of a template. Raises TemplateError."""
    reader = TemplateReader(text, 0)
    block, stopped_by = reader.block(())
    if stopped_by is not None:
        raise TemplateError(f"#{stopped_by} without a beginning at {reader.where()}")
    return block


class TemplateReader(ExpressionReader):
    """Reads one template from its beginning to its end."""

    def block(self, ends: tuple[str, ...]) -> tuple[Block, str | None]:
        """Nodes up to the directive, one of `ends`, that closes the block; it is consumed."""
        self.deeper()
        nodes: list[Node] = []
        while self.at < len(self.text):
            plain = _PLAIN.match(self.text, self.at)
            if plain is not None:
                self.at = plain.end()
                nodes.append(Text(plain[0]))
                continue
            character = self.text[self.at]
            if character == "\\":
                self._escaped(nodes)
            elif character == "$":
                self._dollar(nodes)
            else:
                closed = self._hash(nodes, ends)
                if closed is not None:
                    self.depth -= 1
                    return _joined(nodes), closed
        if ends:
            raise TemplateError(f"#end is missing at {self.where()}")
        self.depth -= 1
        return _joined(nodes), None

    def _escaped(self, nodes: list[Node]) -> None:
        """Backslashes before a reference or a directive halve; an odd one makes it text."""
        begin = self.at
        while self.text[self.at : self.at + 1] == "\\":
            self.at += 1
        count = self.at - begin
        found = _DIRECTIVE.match(self.text, self.at)
        is_reference = _REFERENCE.match(self.text, self.at) is not None
        if found is None and not is_reference:
            nodes.append(Text("\\" * count))
            return
        nodes.append(Text("\\" * (count // 2)))
        if count % 2 == 0:
            return
        start = self.at
        if found is not None:
            self.at = found.end()
        else:
            self.reference()
        nodes.append(Text(self.text[start : self.at]))

    def _dollar(self, nodes: list[Node]) -> None:
        if _REFERENCE.match(self.text, self.at) is None:
            self.at += 1
            nodes.append(Text("$"))
            return
        start = self.at
        reference = self.reference()
        nodes.append(reference if reference is not None else Text(self.text[start : self.at]))

    def _hash(self, nodes: list[Node], ends: tuple[str, ...]) -> str | None:
        """One directive or comment; the name of the directive when it closes the block."""
        text, at = self.text, self.at
        if text.startswith("##", at):
            line_end = _NEWLINE.search(text, at)
            self.at = line_end.end() if line_end else len(text)
            return None
        if text.startswith("#*", at):
            end = text.find("*#", at + 2)
            self.at = end + 2 if end >= 0 else len(text)
            return None
        if text.startswith("#[[", at):
            end = text.find("]]#", at + 3)
            if end < 0:
                raise TemplateError(f"]]# is missing at {self.where()}")
            nodes.append(Text(text[at + 3 : end]))
            self.at = end + 3
            return None
        found = _DIRECTIVE.match(text, at)
        if found is None:
            self.at += 1
            nodes.append(Text("#"))
            return None
        name = found[1] or found[2]
        self.at = found.end()
        if name in ends:
            if name in ("end", "else"):
                self._skip_line_end()
            return str(name)
        self._directive(name, nodes)
        return None

    def _directive(self, name: str, nodes: list[Node]) -> None:
        match name:
            case "set":
                _drop_blank_end(nodes)
                nodes.append(self._assignment())
            case "if":
                nodes.append(self._choice())
            case "foreach":
                nodes.append(self._loop())
            case "define":
                nodes.append(self._definition())
            case "break" | "stop":
                nodes.append(Leave(name == "stop"))
            case _:
                raise TemplateError(f"#{name} without a beginning at {self.where()}")

    def _assignment(self) -> Assign:
        self.expect("(")
        target = self.target()
        self.expect("=")
        value = self.expression()
        self.expect(")")
        self._skip_line_end()
        return Assign(target, value)

    def _choice(self) -> Choice:
        branches: list[tuple[Expression | None, Block]] = []
        condition: Expression | None = self._condition()
        while True:
            ends = ("elseif", "else", "end") if condition is not None else ("end",)
            block, closed = self.block(ends)
            branches.append((condition, block))
            if closed == "end":
                return Choice(tuple(branches))
            condition = self._condition() if closed == "elseif" else None

    def _condition(self) -> Expression:
        self.expect("(")
        condition = self.expression()
        self.expect(")")
        self._skip_line_end()
        return condition

    def _loop(self) -> Loop:
        self.expect("(")
        target = self.target()
        self.space()
        if not self.text.startswith("in", self.at):
            raise TemplateError(f"'in' is missing at {self.where()}")
        self.at += 2
        items = self.expression()
        self.expect(")")
        self._skip_line_end()
        block, _ = self.block(("end",))
        return Loop(target.name, items, block)

    def _definition(self) -> Define:
        self.expect("(")
        target = self.target()
        self.expect(")")
        self._skip_line_end()
        block, _ = self.block(("end",))
        return Define(target.name, block)

    def _skip_line_end(self) -> None:
        """A directive that ends its line takes the line's end with it."""
        found = _REST_OF_LINE.match(self.text, self.at)
        if found is not None:
            self.at = found.end()

    def inner_template(self, text: str) -> Block:
        """A text in double quotes, which is a template too."""
        reader = TemplateReader(text, self.depth)
        block, closed = reader.block(())
        if closed is not None:
            raise TemplateError(f"#{closed} without a beginning in a text")
        return block

    def deeper(self) -> None:
        """Count one level of nesting. Raises TemplateError when there are too many."""
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise TemplateError(f"more than {DEPTH_MAX} levels of nesting")


def _drop_blank_end(nodes: list[Node]) -> None:
    """Blanks between `#set` and what precedes it on its line belong to it; an indent stays."""
    if nodes and isinstance(nodes[-1], Text):
        nodes[-1] = Text(_BLANK_END.sub("", nodes[-1].text))


def _joined(nodes: list[Node]) -> Block:
    joined: list[Node] = []
    for node in nodes:
        if isinstance(node, Text) and joined and isinstance(joined[-1], Text):
            joined[-1] = Text(joined[-1].text + node.text)
        elif node != Text(""):
            joined.append(node)
    return tuple(joined)
