"""Which origins a CORS configuration lets in.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
"""

from __future__ import annotations

import pytest

from cumulet.services.apigateway.v2.http.prepared.cors import cors_rules
from cumulet.services.apigateway.v2.model import Cors


@pytest.mark.parametrize(
    ("origins", "origin", "told"),
    [
        (("*",), "https://any.example", "*"),
        (("https://a.example",), "https://a.example", "https://a.example"),
        (("https://a.example",), "https://a.example:8443", None),
        (("https://a.example",), "http://a.example", None),
        (("https://*",), "https://b.example", "https://b.example"),
        (("https://*",), "http://b.example", None),
        ((), "https://a.example", None),
    ],
)
def test_origins(origins, origin, told):
    rules = cors_rules(Cors(allow_origins=origins))
    assert rules is not None
    assert rules.allowed(origin) == told


def test_without_a_configuration_there_are_no_rules():
    assert cors_rules(None) is None
