"""Which object a template URL names."""

import pytest

from cumulet.services.cloudformation.template.source import S3Place, parse_template_url

OWN = frozenset(("cloud.example", "10.0.0.5"))


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://s3.amazonaws.com/b/a/k.json", S3Place("b", "a/k.json")),
        ("https://s3.eu-west-1.amazonaws.com/b/k", S3Place("b", "k")),
        ("https://s3-eu-west-1.amazonaws.com/b/k", S3Place("b", "k")),
        ("https://b.s3.amazonaws.com/a/k", S3Place("b", "a/k")),
        ("https://b.c.s3.us-east-1.amazonaws.com/k", S3Place("b.c", "k")),
        ("https://b.s3-us-west-2.amazonaws.com/k", S3Place("b", "k")),
        ("https://b.s3.dualstack.eu-west-1.amazonaws.com/k", S3Place("b", "k")),
        ("http://localhost:4566/b/k%20x", S3Place("b", "k x")),
        ("http://127.0.0.1:4566/b/k?versionId=v1", S3Place("b", "k", "v1")),
        ("http://[::1]:4566/b/k", S3Place("b", "k")),
        ("http://b.s3.localhost:4566/k", S3Place("b", "k")),
        ("http://b.s3.us-east-1.localhost:4566/k", S3Place("b", "k")),
        ("http://cloud.example:4566/b/k", S3Place("b", "k")),
        ("http://b.s3.cloud.example/k", S3Place("b", "k")),
        ("http://10.0.0.5/b/k", S3Place("b", "k")),
    ],
)
def test_a_url_of_s3_names_an_object(url, place):
    assert parse_template_url(url, OWN) == place


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/b/k",
        "https://amazonaws.com/b/k",
        "https://s3.amazonaws.com.example.com/b/k",
        "https://s3.amazonaws.com/b",
        "https://b.s3.amazonaws.com/",
        "http://localhost:4566/b",
        "s3://b/k",
        "file:///etc/passwd",
        "http://10.0.0.6/b/k",
        "http://[::1/b/k",
        "",
    ],
)
def test_any_other_url_names_nothing(url):
    assert parse_template_url(url, OWN) is None
