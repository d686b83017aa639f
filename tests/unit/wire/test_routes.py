import pytest

from cumulet.core.http import Request
from cumulet.wire.catalog import Catalog
from cumulet.wire.model import ServiceModel
from cumulet.wire.routes import SEGMENTS_MAX, Router


def router(*operations):
    raw = {
        "metadata": {"protocol": "rest-json"},
        "operations": {
            name: {"name": name, "http": {"method": method, "requestUri": uri}}
            for name, method, uri in operations
        },
        "shapes": {},
    }
    return Router(ServiceModel("made", raw["metadata"], lambda: raw))


def match(made, line):
    method, _, target = line.partition(" ")
    path, _, query = target.partition("?")
    return made.match(Request(method, path, query))


def test_a_word_is_preferred_to_a_label():
    made = router(("A", "GET", "/x/{Name}"), ("B", "GET", "/x/word"), ("C", "GET", "/x/word/{Id}"))
    assert match(made, "GET /x/other") == "A"
    assert match(made, "GET /x/word") == "B"
    assert match(made, "GET /x/word/1") == "C"


def test_a_label_is_tried_when_the_word_leads_nowhere():
    made = router(("A", "GET", "/x/word/one"), ("B", "GET", "/x/{Name}/two"))
    assert match(made, "GET /x/word/two") == "B"


def test_a_greedy_label_takes_the_rest():
    made = router(("A", "GET", "/{Bucket}"), ("B", "GET", "/{Bucket}/{Key+}"))
    assert match(made, "GET /b") == "A"
    assert match(made, "GET /b/") == "A"
    assert match(made, "GET /b/k/l/") == "B"
    assert match(made, "GET /b//") == "B"
    assert match(made, "GET /b" + "/k" * SEGMENTS_MAX * 2) == "B"


def test_a_final_slash_makes_no_difference():
    made = router(("A", "GET", "/functions/"))
    assert match(made, "GET /functions") == match(made, "GET /functions/") == "A"


def test_an_encoded_word_is_the_word():
    made = router(("A", "GET", "/@connections/{Id}"))
    assert match(made, "GET /%40connections/1") == "A"


@pytest.mark.parametrize("line", ["POST /x", "GET /", "GET /x//", "GET /x/y/z", "GET x"])
def test_other_paths_and_methods_match_nothing(line):
    made = router(("A", "GET", "/x"), ("B", "GET", "/x/{Name}"))
    assert [match(made, line) for _ in range(2)] == [None, None]
    assert match(made, "GET /x") == "A"


def test_constants_of_the_query_decide():
    made = router(("A", "GET", "/x"), ("B", "GET", "/x?acl"), ("C", "GET", "/x?acl&kind=2"))
    assert match(made, "GET /x?other") == "A"
    assert match(made, "GET /x?acl=&z=1") == "B"
    assert match(made, "GET /x?acl&kind=3") == "B"
    assert match(made, "GET /x?kind=2&acl") == "C"


@pytest.mark.parametrize("service", ["apigateway", "apigatewayv2", "bedrock-runtime", "lambda"])
def test_every_operation_is_found_by_its_own_uri(tmp_path, service):
    model = Catalog(tmp_path).service(service)
    made = Router(model)
    for name in model.operation_names:
        operation = model.operation(name)
        path, _, query = operation.uri.replace("{", "").replace("+}", "").partition("?")
        request = Request(operation.method, path.replace("}", ""), query)
        assert made.match(request) == name
