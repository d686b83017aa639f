"""Statements mean what the ordinary expressions mean, whatever the condition and the item."""

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cumulet.services.dynamodb.expressions.compiled import compile_condition
from cumulet.services.dynamodb.expressions.evaluating import make_test
from cumulet.services.dynamodb.plans.partiql.binding import bind
from cumulet.services.dynamodb.plans.partiql.keys import use_keys

NAMES = ("a", "b", "c")
scalars = st.one_of(
    st.integers(-3, 3).map(lambda one: {"N": str(one)}),
    st.sampled_from(["", "x", "xy", "it's", '"']).map(lambda one: {"S": one}),
)
values = st.one_of(
    scalars,
    st.booleans().map(lambda one: {"BOOL": one}),
    st.lists(scalars, max_size=2).map(lambda one: {"L": one}),
    st.dictionaries(st.sampled_from(NAMES), scalars, max_size=2).map(lambda one: {"M": one}),
)
items = st.dictionaries(st.sampled_from(NAMES), values, max_size=3)
paths = st.one_of(
    st.sampled_from(NAMES),
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).map(".".join),
    st.sampled_from([f"{name}[0]" for name in NAMES]),
)


def literal(value):
    """A value in PartiQL."""
    ((kind, content),) = value.items()
    if kind == "S":
        quoted = content.replace("'", "''")
        return f"'{quoted}'"
    if kind == "BOOL":
        return str(content).lower()
    if kind == "L":
        return f"[{', '.join(map(literal, content))}]"
    if kind == "M":
        pairs = [f"{literal({'S': name})}: {literal(one)}" for name, one in content.items()]
        return "{" + ", ".join(pairs) + "}"
    return content


class Both:
    """A condition in both languages, with the values of the placeholders."""

    def __init__(self, partiql, expression, **placeholders):
        self.partiql, self.expression, self.values = partiql, expression, placeholders


def compared(draw_path, operator, value, name):
    placeholder = f":{name}"
    spelt = "!=" if operator == "<>" and name[-1] in "02468" else operator
    return Both(
        f"{draw_path} {spelt} {literal(value)}",
        f"{draw_path} {operator} {placeholder}",
        **{name: value},
    )


@st.composite
def simple(draw):
    path, name = draw(paths), f"v{draw(st.integers(0, 10**9))}"
    kind = draw(st.sampled_from(["order", "equal", "between", "in", "function", "missing"]))
    if kind == "order":
        return compared(path, draw(st.sampled_from(["<", "<=", ">", ">="])), draw(scalars), name)
    if kind == "equal":
        return compared(path, draw(st.sampled_from(["=", "<>"])), draw(values), name)
    if kind == "between":
        low, high = sorted(draw(st.tuples(st.integers(-3, 3), st.integers(-3, 3))))
        return Both(
            f"{path} BETWEEN {low} AND {high}",
            f"{path} BETWEEN :{name}l AND :{name}h",
            **{f"{name}l": {"N": str(low)}, f"{name}h": {"N": str(high)}},
        )
    if kind == "in":
        options = draw(st.lists(values, min_size=1, max_size=3))
        refs = [f"{name}o{place}" for place in range(len(options))]
        return Both(
            f"{path} IN [{', '.join(map(literal, options))}]",
            f"{path} IN ({', '.join(':' + ref for ref in refs)})",
            **dict(zip(refs, options, strict=True)),
        )
    if kind == "missing":
        negated = draw(st.booleans())
        call = "attribute_exists" if negated else "attribute_not_exists"
        return Both(f"{path} IS {'NOT ' if negated else ''}MISSING", f"{call}({path})")
    text = draw(st.sampled_from(["x", "", "it's"]))
    call = draw(st.sampled_from(["begins_with", "contains"]))
    return Both(
        f"{call.upper()}({path}, {literal({'S': text})})",
        f"{call}({path}, :{name})",
        **{name: {"S": text}},
    )


def joined(word):
    def join(pair):
        first, second = pair
        assume(not first.values.keys() & second.values.keys())
        return Both(
            f"({first.partiql}) {word} ({second.partiql})",
            f"({first.expression}) {word} ({second.expression})",
            **{**first.values, **second.values},
        )

    return join


def negated(one):
    return Both(f"NOT ({one.partiql})", f"NOT ({one.expression})", **one.values)


conditions = st.recursive(
    simple(),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(joined("AND")),
        st.tuples(inner, inner).map(joined("OR")),
        inner.map(negated),
    ),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(conditions, st.lists(items, min_size=1, max_size=4))
def test_a_where_clause_is_the_same_condition(condition, found):
    bound = bind(f"SELECT * FROM t WHERE {condition.partiql}", None)
    test = make_test(bound.body.where)
    expected = compile_condition("FilterExpression", condition.expression, ()).test
    given_values = {f":{name}": value for name, value in condition.values.items()}
    for item in found:
        assert test(item, bound.values) == expected(item, given_values)


@settings(max_examples=150, deadline=None)
@given(conditions, st.lists(items, min_size=1, max_size=4))
def test_what_keys_choose_and_what_is_left_are_the_whole_condition(condition, found):
    bound = bind(f"SELECT * FROM t WHERE {condition.partiql}", None)
    use = use_keys(bound.body.where, bound.values, ["a"], ["b"])
    if use is None:
        return
    whole = make_test(bound.body.where)
    for item in found:
        chosen = any(
            all(holds(one, item) for one in partition) for partition in use.partitions
        ) and all(make_test(one)(item, bound.values) for one in use.left)
        assert chosen == whole(item, bound.values)


def holds(condition, item):
    refs = [f":{place}" for place in range(len(condition.values))]
    text = {
        "between": "{0} BETWEEN {1} AND {2}",
        "begins_with": "begins_with({0}, {1})",
    }.get(condition.operator, f"{{0}} {condition.operator} {{1}}")
    test = compile_condition("FilterExpression", text.format(condition.name, *refs), ()).test
    return test(item, dict(zip(refs, condition.values, strict=True)))


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([*NAMES, "it's", 'x"y']), values, min_size=1, max_size=4))
def test_an_inserted_literal_is_the_item(item):
    assert bind(f"INSERT INTO t VALUE {literal({'M': item})}", None).item == item


@settings(max_examples=200, deadline=None)
@given(st.text("SELECTFROMWHERE *'\"{}[]<>=?,.()-19ab", max_size=40))
def test_whatever_is_sent_is_read_or_refused(text):
    from cumulet.services.dynamodb.errors import ValidationException

    try:
        bind(text, None)
    except ValidationException:
        return
