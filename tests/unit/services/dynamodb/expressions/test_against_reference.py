"""Random conditions and items, against an evaluator that is slow and plain."""

import operator
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.expressions.substitutions import Substitutions

NAMES = ("a1", "b1", "c1")
SCALARS = st.one_of(
    st.sampled_from(("", "a", "ab", "b")).map(lambda text: {"S": text}),
    st.integers(-2, 2).map(lambda number: {"N": str(number)}),
    st.booleans().map(lambda flag: {"BOOL": flag}),
    st.just({"NULL": True}),
)
VALUES = st.one_of(
    SCALARS,
    st.lists(st.sampled_from("abc"), min_size=1, max_size=2, unique=True).map(
        lambda texts: {"SS": texts}
    ),
    st.lists(SCALARS, max_size=2).map(lambda inner: {"L": inner}),
    st.dictionaries(st.sampled_from(("x1", "y1")), SCALARS, max_size=2).map(
        lambda inner: {"M": inner}
    ),
)
ITEMS = st.dictionaries(st.sampled_from(NAMES), VALUES)
PATHS = st.one_of(
    st.sampled_from(NAMES).map(lambda name: (name,)),
    st.tuples(st.sampled_from(NAMES), st.sampled_from(("x1", 0, 1))),
)
ORDERS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def spell(path):
    return path[0] + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path[1:])


@st.composite
def leaves(draw):
    path, value = draw(PATHS), draw(VALUES)
    kind = draw(
        st.sampled_from(
            ("cmp", "between", "in", "exists", "missing", "begins", "contains", "size", "type")
        )
    )
    if kind == "cmp":
        return ("cmp", draw(st.sampled_from(("=", "<>", *ORDERS))), path, value)
    if kind == "between":
        return ("between", path, draw(SCALARS), draw(SCALARS))
    if kind == "in":
        return ("in", path, draw(st.lists(VALUES, min_size=1, max_size=3)))
    if kind == "size":
        return ("size", draw(st.sampled_from(("=", *ORDERS))), path, draw(st.integers(0, 3)))
    if kind == "type":
        return ("type", path, draw(st.sampled_from(("S", "N", "BOOL", "NULL", "SS", "L", "M"))))
    return (kind, path, value)


TREES = st.recursive(
    leaves(),
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(("and", "or")), inner, inner),
    ),
    max_leaves=6,
)


class Spelling:
    def __init__(self):
        self.values = {}

    def value(self, value):
        name = f":v{len(self.values)}"
        self.values[name] = value
        return name

    def text(self, tree):
        match tree:
            case ("not", inner):
                return f"NOT ({self.text(inner)})"
            case ("and" | "or" as word, one, other):
                return f"({self.text(one)}) {word} ({self.text(other)})"
            case ("cmp", sign, path, value):
                return f"{spell(path)} {sign} {self.value(value)}"
            case ("between", path, low, high):
                return f"{spell(path)} BETWEEN {self.value(low)} AND {self.value(high)}"
            case ("in", path, values):
                return f"{spell(path)} IN ({', '.join(map(self.value, values))})"
            case ("exists", path, _):
                return f"attribute_exists({spell(path)})"
            case ("missing", path, _):
                return f"attribute_not_exists({spell(path)})"
            case ("begins", path, value):
                return f"begins_with({spell(path)}, {self.value(value)})"
            case ("contains", path, value):
                return f"contains({spell(path)}, {self.value(value)})"
            case ("size", sign, path, count):
                return f"size({spell(path)}) {sign} {self.value({'N': str(count)})}"
            case ("type", path, kind):
                return f"attribute_type({spell(path)}, {self.value({'S': kind})})"
        raise AssertionError(tree)


def plain(value):
    """A value as Python's own, with its kind, so that equality is Python's."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return kind, Decimal(content)
        case "SS":
            return kind, frozenset(content)
        case "L":
            return kind, tuple(plain(one) for one in content)
        case "M":
            return kind, tuple(sorted((name, plain(one)) for name, one in content.items()))
    return kind, content


def look_up(item, path):
    value = item.get(path[0])
    for part in path[1:]:
        if value is None:
            return None
        if isinstance(part, int):
            inside = value.get("L", [])
            value = inside[part] if part < len(inside) else None
        else:
            value = value.get("M", {}).get(part)
    return value


def holds(tree, item):
    match tree:
        case ("not", inner):
            return not holds(inner, item)
        case ("and", one, other):
            return holds(one, item) and holds(other, item)
        case ("or", one, other):
            return holds(one, item) or holds(other, item)
        case ("in", path, values):
            found = look_up(item, path)
            return found is not None and plain(found) in [plain(value) for value in values]
        case ("cmp", sign, path, value):
            return compares(sign, look_up(item, path), value)
        case ("between", path, low, high):
            found = look_up(item, path)
            return compares(">=", found, low) and compares("<=", found, high)
        case ("size", sign, path, count):
            found = look_up(item, path)
            if found is None or next(iter(found)) in ("N", "BOOL", "NULL"):
                return False
            return compares(sign, {"N": str(len(next(iter(found.values()))))}, {"N": str(count)})
        case ("type", path, kind):
            return kind in (look_up(item, path) or {})
        case (kind, path, value):
            return holds_of(kind, look_up(item, path), value)
    raise AssertionError(tree)


def holds_of(kind, found, value):
    if kind == "exists":
        return found is not None
    if kind == "missing":
        return found is None
    if found is None:
        return False
    if kind == "begins":
        return "S" in found and "S" in value and found["S"].startswith(value["S"])
    if "S" in found:
        return "S" in value and value["S"] in found["S"]
    if "SS" in found:
        return value.get("S") in found["SS"]
    return "L" in found and plain(value) in [plain(one) for one in found["L"]]


def compares(sign, one, other):
    if sign == "=":
        return one is not None and plain(one) == plain(other)
    if sign == "<>":
        return one is None or plain(one) != plain(other)
    if one is None or next(iter(one)) != next(iter(other)) or next(iter(one)) not in "SN":
        return False
    return ORDERS[sign](plain(one)[1], plain(other)[1])


@settings(max_examples=400, deadline=None)
@given(TREES, ITEMS)
def test_a_condition_holds_when_the_plain_evaluator_says_so(tree, item):
    spelling = Spelling()
    text = spelling.text(tree)
    request = {"ConditionExpression": text}
    if spelling.values:
        request["ExpressionAttributeValues"] = spelling.values
    substitutions = Substitutions(request, ("ConditionExpression",))
    try:
        compiled = substitutions.condition("ConditionExpression", text)
    except ValidationException as error:
        # Operands of types that can never be right are refused, not evaluated.
        if "operand type" in error.message or "BETWEEN operator" in error.message:
            return
        raise
    substitutions.finish()
    assert compiled.test(item, substitutions.values) == holds(tree, item)
