import re
import time

import pytest

from cumulet.wire.values.patterns import TEXT_MAX, pattern_of, translate

SERVICES = (
    "apigateway",
    "apigatewayv2",
    "bedrock-runtime",
    "cloudformation",
    "cloudwatch",
    "cognito-identity",
    "cognito-idp",
    "dynamodb",
    "dynamodbstreams",
    "iam",
    "lambda",
    "logs",
    "s3",
    "sqs",
    "ssm",
    "sts",
)
UNTRANSLATED = {r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*"}
"""Patterns that are not checked: this one has ranges of halves of characters."""

MATCH_TIME_MAX_S = 0.5


def patterns_of_models(catalog):
    """Every pattern, with the longest text that it is matched against."""
    found = {}
    for service in SERVICES:
        for shape in catalog.service(service).raw["shapes"].values():
            if "pattern" in shape and shape["type"] == "string":
                size = min(shape.get("max", TEXT_MAX), TEXT_MAX)
                found[shape["pattern"]] = max(found.get(shape["pattern"], 0), size)
    return found


def test_every_pattern_of_the_models_is_translated_but_those_named(catalog):
    patterns = patterns_of_models(catalog)
    assert len(patterns) > 300
    assert {source for source in patterns if pattern_of(source) is None} == UNTRANSLATED


@pytest.mark.parametrize("unit", ["a", "0", "/", "-", "a/", "a.", "a ", "a:", "*", "arn:aws:a"])
def test_no_pattern_of_the_models_can_be_made_to_run_long(catalog, unit):
    for source, size in patterns_of_models(catalog).items():
        if (pattern := pattern_of(source)) is None:
            continue
        text = (unit * size)[: size - 1] + "\x01"
        start = time.process_time()
        pattern.allows(text)
        assert time.process_time() - start < MATCH_TIME_MAX_S, source


@pytest.mark.parametrize(
    ("source", "allowed", "refused"),
    [
        (r"[\w+=,.@-]+", "a.b@c", "a b"),
        (r"[\w-_]*", "a-_1", "a b"),
        (r"^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$", "ünïcode ٣", "☃"),
        (r"\p{Alnum}+", "aZ9", "ü"),
        (r"[\p{ASCII}]*", "a~", "é"),
        (r"[\p{L}]+", "漢字𠮷", "1"),
        (r"\d+", "12", "٣"),
        (r"(?s).*", "a\nb", None),
        (r"abc", "abc", "xabc"),
        (r"a\z", "a", "a\n"),
        (r"[^\p{Z}]+", "ab", "a b"),
        (r"[\u0020-\u00FF]+", "é", "Ā"),
    ],
)
def test_patterns_mean_what_they_mean_in_java(source, allowed, refused):
    pattern = pattern_of(source)
    assert pattern.allows(allowed)
    assert refused is None or not pattern.allows(refused)


@pytest.mark.parametrize("source", [r"[a-z&&[^b]]", r"\P{L}", r"\p{Nonsense}", r"[[a]b]", r"\Ga"])
def test_what_python_lacks_is_not_translated(source):
    with pytest.raises(ValueError):  # noqa: PT011
        translate(source)
    assert pattern_of(source) is None


def test_a_broken_pattern_is_not_translated():
    assert pattern_of("[a") is None
    with pytest.raises(re.error):
        re.compile(translate("(a"))


def test_long_texts_are_only_matched_where_that_is_cheap():
    assert not pattern_of("[a-z]+").allows("a" * 100_000 + "1")
    assert pattern_of("([a-z]+x)+").allows("1" * (TEXT_MAX + 1))
