import pytest

from cumulet.core.errors import MalformedRequest
from cumulet.core.http import Headers, Request
from cumulet.wire.model import ServiceModel
from cumulet.wire.protocols.rest_input import compile_request, path_pattern, split_list


@pytest.mark.parametrize(
    ("uri", "path", "groups"),
    [
        ("/functions/{Name}/code", "/functions/a%2Fb/code", ("a%2Fb",)),
        ("/functions/{Name}/code", "/functions/a/b/code", None),
        ("/functions/", "/functions", ()),
        ("/{Bucket}/{Key+}?acl", "/b/k/l", ("b", "k/l")),
        ("/a.b/{X}", "/aXb/1", None),
    ],
)
def test_paths_give_their_labels(uri, path, groups):
    found = path_pattern(uri).fullmatch(path)
    assert (found and found.groups()) == groups


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("a, b,c", ["a", "b", "c"]),
        ('"b,c", "\\"def\\"", a', ["b,c", '"def"', "a"]),
        ('"open, a', ['"open', "a"]),
        ("", [""]),
    ],
)
def test_header_lists_are_split(text, items):
    assert split_list(text) == items


def operation(members):
    raw = {
        "operations": {
            "Do": {"http": {"method": "POST", "requestUri": "/do/{Id}"}, "input": {"shape": "In"}}
        },
        "shapes": {
            "In": {"type": "structure", "members": members},
            "Text": {"type": "string"},
            "Number": {"type": "integer"},
            "Time": {"type": "timestamp"},
            "Times": {"type": "list", "member": {"shape": "Time"}},
            "Texts": {"type": "list", "member": {"shape": "Text"}},
            "TextMap": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Text"}},
        },
    }
    return ServiceModel("made", {"protocol": "rest-json"}, lambda: raw).operation("Do")


def read(members, query="", headers=(), body=b""):
    made = operation({"Id": {"shape": "Text", "location": "uri"}, **members})
    reader = compile_request(made, lambda shape, names: lambda content, result: None)
    return reader(Request("POST", "/do/x%20y", query, Headers(headers)), body)


def test_labels_are_decoded():
    assert read({}) == {"Id": "x y"}


def test_queries_are_bound():
    members = {
        "Number": {"shape": "Number", "location": "querystring", "locationName": "n"},
        "List": {"shape": "Texts", "location": "querystring", "locationName": "l"},
        "Rest": {"shape": "TextMap", "location": "querystring"},
    }
    assert read(members, "n=1&n=2&l=a&l=b&other=c") == {
        "Id": "x y",
        "Number": 1,
        "List": ["a", "b"],
        "Rest": {"other": "c"},
    }


def test_headers_are_bound():
    members = {
        "Number": {"shape": "Number", "location": "header", "locationName": "X-N"},
        "Times": {"shape": "Times", "location": "header", "locationName": "X-T"},
        "Texts": {"shape": "Texts", "location": "header", "locationName": "X-L"},
        "Meta": {"shape": "TextMap", "location": "headers", "locationName": "X-Meta-"},
    }
    date = "Mon, 16 Dec 2019 23:48:18 GMT"
    headers = [("x-n", "5"), ("x-t", f"{date}, {date}"), ("x-l", "a"), ("x-l", "b")]
    headers += [("x-meta-a", "1"), ("X-Meta-B", "2")]
    assert read(members, headers=headers) == {
        "Id": "x y",
        "Number": 5,
        "Times": [1576540098, 1576540098],
        "Texts": ["a", "b"],
        "Meta": {"a": "1", "b": "2"},
    }


@pytest.mark.parametrize("header", ["!", "e30", "/w=="])
def test_a_bad_json_header_is_malformed(header):
    members = {
        "Json": {"shape": "Text", "location": "header", "locationName": "j", "jsonvalue": True}
    }
    assert read(members, headers=[("j", "eyJhIjoxfQ==")])["Json"] == {"a": 1}
    with pytest.raises(MalformedRequest):
        read(members, headers=[("j", header)])
