"""The rules of composite alarms, read and worked out. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-combining.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from cumulet.core.identity import parse_arn
from cumulet.services.cloudwatch.alarms.limits import (
    RULE_ALARMS_MAX,
    RULE_DEPTH_MAX,
    RULE_ELEMENTS_MAX,
)
from cumulet.services.cloudwatch.alarms.model import UNKNOWN

_STATES = ("ALARM", "OK", UNKNOWN)
_TOKEN = re.compile(
    r"""\s*(?:"(?P<double>[^"]+)"|'(?P<single>[^']+)'|(?P<op>[(),])|(?P<word>[^\s(),"']+))"""
)


class RuleError(Exception):
    """The rule cannot be read; the message says why."""


class Is(NamedTuple):
    """Whether an alarm is in a state."""

    state: str
    alarm: str


class Fixed(NamedTuple):
    """TRUE or FALSE."""

    holds: bool


class Not(NamedTuple):
    """The opposite."""

    rule: Rule


class Every(NamedTuple):
    """Whether all hold."""

    rules: tuple[Rule, ...]


class Some(NamedTuple):
    """Whether one holds."""

    rules: tuple[Rule, ...]


class AtLeast(NamedTuple):
    """Whether so many alarms are in a state, or are not in it."""

    least: int
    state: str
    negated: bool
    alarms: tuple[str, ...]


Rule: TypeAlias = Is | Fixed | Not | Every | Some | AtLeast


def parse_rule(text: str) -> Rule:
    """Raises RuleError."""
    reader = _Reader(text)
    rule = reader.either(0)
    if reader.peek() != ("end", ""):
        raise RuleError(f"unexpected '{reader.peek()[1]}'")
    if len(alarms_in(rule)) > RULE_ALARMS_MAX:
        raise RuleError(f"it names more than {RULE_ALARMS_MAX} alarms")
    return rule


def alarms_in(rule: Rule) -> tuple[str, ...]:
    """The names of the alarms of a rule, each once."""
    return tuple(dict.fromkeys(_names(rule)))


def _names(rule: Rule) -> Iterator[str]:
    match rule:
        case Is(_, alarm):
            yield alarm
        case Not(inner):
            yield from _names(inner)
        case Every(rules) | Some(rules):
            for one in rules:
                yield from _names(one)
        case AtLeast(_, _, _, alarms):
            yield from alarms
        case _:
            return


def holds(rule: Rule, states: Mapping[str, str]) -> bool:
    """Whether a rule holds; an alarm that is not there has too little data."""
    match rule:
        case Is(state, alarm):
            return states.get(alarm, UNKNOWN) == state
        case Fixed(value):
            return value
        case Not(inner):
            return not holds(inner, states)
        case Every(rules):
            return all(holds(one, states) for one in rules)
        case Some(rules):
            return any(holds(one, states) for one in rules)
        case AtLeast(least, state, negated, alarms):
            there = sum((states.get(one, UNKNOWN) == state) != negated for one in alarms)
            return there >= least


class _Reader:
    """The tokens of a rule, read one by one."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                raise RuleError(f"unexpected '{text[at:].strip()[:10]}'")
            kind = str(found.lastgroup)
            self._tokens.append(
                ("name" if kind in ("double", "single") else kind, found.group(kind))
            )
            at = found.end()
        if len(self._tokens) > RULE_ELEMENTS_MAX * 4:
            raise RuleError(f"it has more than {RULE_ELEMENTS_MAX} elements")
        self._at = 0

    def peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take(self) -> tuple[str, str]:
        token = self.peek()
        self._at += 1
        return token

    def _need(self, text: str) -> None:
        if self._take() != ("op", text):
            raise RuleError(f"expected '{text}'")

    def either(self, depth: int) -> Rule:
        """Rules with OR between them."""
        return self._joined("OR", lambda: self._both(depth), Some)

    def _both(self, depth: int) -> Rule:
        return self._joined("AND", lambda: self._one(depth), Every)

    def _joined(self, word: str, read: Callable[[], Rule], join: type[Every] | type[Some]) -> Rule:
        rules = [read()]
        while self.peek() == ("word", word):
            self._take()
            rules.append(read())
        return rules[0] if len(rules) == 1 else join(tuple(rules))

    def _one(self, depth: int) -> Rule:
        if depth > RULE_DEPTH_MAX:
            raise RuleError("it is too deeply nested")
        kind, text = self._take()
        if (kind, text) == ("op", "("):
            inner = self.either(depth + 1)
            self._need(")")
            return inner
        if kind == "word":
            match text:
                case "TRUE" | "FALSE":
                    return Fixed(text == "TRUE")
                case "NOT":
                    return Not(self._one(depth + 1))
                case "AT_LEAST":
                    return self._at_least()
                case "ALARM" | "OK" | "INSUFFICIENT_DATA":
                    self._need("(")
                    name = self._alarm()
                    self._need(")")
                    return Is(text, name)
        raise RuleError(f"unexpected '{text}'" if text else "it ends too early")

    def _alarm(self) -> str:
        kind, text = self._take()
        if kind not in ("word", "name"):
            raise RuleError("expected the name of an alarm")
        arn = parse_arn(text)
        if arn is not None and arn.resource.startswith("alarm:"):
            return arn.resource.removeprefix("alarm:")
        return text

    def _at_least(self) -> Rule:
        self._need("(")
        _, amount = self._take()
        self._need(",")
        _, state = self._take()
        negated = state == "NOT"
        if negated:
            _, state = self._take()
        if state not in _STATES:
            raise RuleError("AT_LEAST needs a state")
        self._need(",")
        self._need("(")
        alarms = [self._alarm()]
        while self.peek() == ("op", ","):
            self._take()
            alarms.append(self._alarm())
        self._need(")")
        self._need(")")
        return AtLeast(_amount(amount, len(alarms)), state, negated, tuple(alarms))


def _amount(text: str, alarms: int) -> int:
    """A number of alarms, or a share of them."""
    if re.fullmatch(r"\d{1,3}%", text) and 1 <= int(text[:-1]) <= 100:
        return math.ceil(alarms * int(text[:-1]) / 100)
    if re.fullmatch(r"\d{1,3}", text) and 1 <= int(text) <= alarms:
        return int(text)
    raise RuleError("AT_LEAST needs a number of its alarms, or a percentage")
