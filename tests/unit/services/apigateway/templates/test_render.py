"""Mapping templates: what API Gateway's Velocity makes of them.

The expectations follow what API Gateway was seen to answer where it differs from Velocity itself:
what is not there counts as an empty text, which is true, and macros stay text.
https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings.html
"""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.apigateway.templates import (
    Input,
    TemplateError,
    Util,
    parse_template,
    render,
)
from cumulet.services.apigateway.templates.render import ITERATIONS_MAX

BODY = {
    "name": "Ann",
    "age": 7,
    "tags": ["a", "b"],
    "inner": {"x": [1, {"y": None}]},
    "on": True,
    "url": "https://example.com/a b",
}


def rendered(template, body=BODY, **variables):
    text = body if isinstance(body, str) else json.dumps(body)
    scope = {
        "input": Input(text, {"id": "p1"}, {"q": "a b"}, {"X-One": "h1"}),
        "util": Util(),
        "context": {"requestId": "r1", "responseOverride": {"header": {}}},
        "stageVariables": {"v": "s1"},
        **variables,
    }
    return render(parse_template(template), scope)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain $ and # stay", "plain $ and # stay"),
        ("$input.path('$.name')", "Ann"),
        ("$input.json('$.tags')", '["a","b"]'),
        ("$input.json('$')", json.dumps(BODY, separators=(",", ":"))),
        ("$input.json('$.nothing')", '""'),
        ("$input.path('$.inner')", '{x=[1,{"y":null}]}'),
        ("$input.path('$.tags')", '["a","b"]'),
        ("$input.path('$.tags[1]')", "b"),
        ("$input.path('$.tags').size()", "2"),
        ("$input.path('$.on')", "true"),
        ("$input.params('id')/$input.params('q')/$input.params('x-one')", "p1/a b/h1"),
        ("$input.params('none')", ""),
        ("$input.params().querystring.q", "a b"),
        ("$input.params().header.get('X-One')", "h1"),
        ("$context.requestId $stageVariables.v ${stageVariables.v}!", "r1 s1 s1!"),
        ("$nothing|$!nothing|${nothing.at.all}|", "|||"),
        ("#if($nothing)true#{else}false#end", "true"),
        ('#if($nothing == "")empty#end', "empty"),
        ("#if($input.path('$.on') == false)off#elseif(1 > 2)no#{else}on#end", "on"),
        ("#set($a = 5)#set($b = $a * 2 + 1)$b", "11"),
        ("#set($a = 7 / 2)$a #set($c = -7 / 2)$c #set($d = 7 % 4)$d", "3-33"),
        ("#set($a = [1, 'two', true])$a $a.get(1) $a[2]", "[1, two, true] two true"),
        ("#set($m = {'a': 1, 'b': {'c': 2}})$m.b.c $m.size() $m", "2 2 {a=1, b={c=2}}"),
        ("#set($m = {})#set($m.x = 'y')$m.x$m.get('x')$m['x']", "yyy"),
        ("#foreach($t in $input.path('$.tags'))$t#if($foreach.hasNext),#end#end", "a,b"),
        ("#foreach($i in [1..5])#if($i == 3)#break#end$i#end", "12"),
        ("#foreach($i in [3..1])$foreach.index$velocityCount $i;#end", "01 3;12 2;23 1;"),
        ("a#stop b", "a"),
        ('#set($n = "x")#set($s = "v=$n ${n}y")$s', "v=x xy"),
        ("#set($n = \"x\")#set($s = 'v=$n')$s", "v=$n"),
        ('#set($s = "say ""hi""")$s', 'say "hi"'),
        ("## gone\nkept#* gone too *#!", "kept!"),
        ("#[[ $not.read #if ]]#", " $not.read #if "),
        ("#macro(m)x", "#macro(m)x"),
        ("#set($a = 1)\\$a \\\\$a", "$a \\1"),
        ("$util.urlEncode('a b&c')|$util.urlDecode('a+b%26c')", "a+b%26c|a b&c"),
        ("$util.base64Encode('hé')|$util.base64Decode('aMOp')", "aMOp|hé"),
        ("$util.escapeJavaScript('a\"b/c')", 'a\\"b\\/c'),
        ("$util.parseJson('{\"k\":[1]}').k", "[1]"),
        ("#define($d)<$x>#end#set($x = 1)$d#set($x = 2)$d", "<1><2>"),
        ("$input.path('$.name').toUpperCase().substring(1)", "NN"),
        ("$input.path('$.name').replaceAll('n+', '-')", "A-"),
        ("#set($Integer = 0)#set($n = $Integer.parseInt('4') + 1)$n", "5"),
    ],
)
def test_what_a_template_gives(template, expected):
    assert rendered(template) == expected


def test_a_line_with_only_a_directive_leaves_nothing():
    template = "{\n#if(true)\n  yes\n#end\n#set($a = 1)\n}"
    assert rendered(template) == "{\n  yes\n}"


def test_overrides_are_seen_after_the_rendering():
    context = {"responseOverride": {"header": {}}}
    rendered(
        "#set($context.responseOverride.status = 418)"
        "#set($context.responseOverride.header.X = 'tea')",
        context=context,
    )
    assert context["responseOverride"] == {"status": 418, "header": {"X": "tea"}}


@pytest.mark.parametrize(
    ("body", "expected"), [("", "{}"), ("not json", "not json"), ('{"a":1}', '{"a":1}')]
)
def test_the_body_as_it_is(body, expected):
    assert rendered("$input.body", body=body) == expected


@pytest.mark.parametrize(
    "template",
    ["#if(true)", "#end", "#set($a = )", "#foreach($a of $b)#end", "#if($a", "#set(a = 1)"],
)
def test_what_cannot_be_read_is_refused(template):
    with pytest.raises(TemplateError):
        parse_template(template)


def test_nesting_is_bounded():
    with pytest.raises(TemplateError):
        parse_template("#if(true)" * 200 + "#end" * 200)
    with pytest.raises(TemplateError):
        parse_template("#set($a = " + "(" * 500 + "1" + ")" * 500 + ")")


def test_loops_and_sizes_are_bounded():
    assert rendered("#foreach($i in [1..5000])x#end") == "x" * ITERATIONS_MAX
    loop = "#foreach($i in [1..1000])"
    with pytest.raises(TemplateError):
        rendered(loop * 3 + "x" + "#end" * 3)
    with pytest.raises(TemplateError):
        rendered(f"#set($s = 'xxxxxxxxxx'){loop}#set($s = $s + $s)#end$s")


def test_a_block_that_renders_itself_ends_in_an_error():
    with pytest.raises(TemplateError):
        rendered("#define($d)$d$d#end$d")


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="$#!{}()[].'\"\\ \nabifselnd=1,*", max_size=60))
def test_no_text_breaks_it_otherwise(template):
    try:
        block = parse_template(template)
        render(block, {"a": [1], "b": {"a": "x"}})
    except TemplateError:
        return


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(exclude_characters="$#\\"), max_size=40))
def test_text_without_marks_stays_as_it_is(text):
    assert render(parse_template(text), {}) == text


def test_patterns_in_templates_end_in_time() -> None:
    slow = '#set($a = $t.matches("(a|a)*$"))$a'
    with pytest.raises(TemplateError, match="a pattern took longer"):
        render(parse_template(slow), {"t": "a" * 60 + "c"})


def test_a_rendering_ends_in_time() -> None:
    loop = "#foreach($i in [1..1000])#foreach($j in [1..1000])$t.replace('a', 'b').length()#end#end"
    with pytest.raises(TemplateError, match="takes more than 1"):
        render(parse_template(loop), {"t": "a" * 1_000_000})
