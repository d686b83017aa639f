"""The forms of AWS's protocols: a call of each service, and how its errors are read."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from tests.journeys.raw import Answer, Call

FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


def query(service: str, version: str, action: str, **values: str) -> Call:
    body = urlencode({"Action": action, "Version": version, **values}).encode()
    return Call(service, "POST", "/", FORM, body)


def json_call(service: str, target: str, body: bytes = b"{}") -> Call:
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
    return Call(service, "POST", "/", headers, body)


CALLS = {
    "iam": query("iam", "2010-05-08", "ListUsers"),
    "sts": query("sts", "2011-06-15", "GetFederationToken", Name="wire"),
    "logs": json_call("logs", "Logs_20140328.DescribeLogGroups"),
    "ssm": json_call("ssm", "AmazonSSM.DescribeParameters"),
    "lambda": Call("lambda", "GET", "/2015-03-31/functions"),
    "apigateway": Call("apigateway", "GET", "/restapis"),
    "s3": Call("s3", "GET", "/wire-refusals?list-type=2"),
}
"""A call of each service that the root key may make and a user without policies may not."""

PROTOCOL = {
    "iam": "query",
    "sts": "query",
    "logs": "json",
    "ssm": "json",
    "lambda": "rest-json",
    "apigateway": "rest-json",
    "s3": "rest-xml",
}
EACH = pytest.mark.parametrize("service", CALLS)


def code_of(answer: Answer, protocol: str) -> str:
    """The error's code, once the whole form of the answer is as the protocol has it."""
    return {
        "query": code_of_query,
        "json": code_of_json,
        "rest-json": code_of_rest_json,
        "rest-xml": code_of_rest_xml,
    }[protocol](answer)


def code_of_query(answer: Answer) -> str:
    assert answer.headers["content-type"].startswith("text/xml")
    root = answer.xml
    space = re.match(r"\{.*\}", root.tag)
    prefix = space.group() if space else ""
    assert root.tag == f"{prefix}ErrorResponse"
    assert root.findtext(f"{prefix}Error/{prefix}Type") in ("Sender", "Receiver")
    assert root.findtext(f"{prefix}RequestId") == answer.headers["x-amzn-requestid"]
    assert root.findtext(f"{prefix}Error/{prefix}Message")
    return str(root.findtext(f"{prefix}Error/{prefix}Code"))


def code_of_json(answer: Answer) -> str:
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert answer.headers["x-amzn-requestid"]
    return str(answer.json["__type"]).rsplit("#", 1)[-1]


def code_of_rest_json(answer: Answer) -> str:
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-amzn-requestid"]
    assert isinstance(answer.json, dict)
    return answer.headers["x-amzn-errortype"].split(":")[0]


def code_of_rest_xml(answer: Answer) -> str:
    assert answer.headers["content-type"] == "application/xml"
    root = answer.xml
    assert root.tag == "Error"
    assert root.findtext("RequestId") == answer.headers["x-amz-request-id"]
    assert root.findtext("Message")
    return str(root.findtext("Code"))


def assert_refused(answer: Answer, service: str, by_protocol: dict[str, tuple[str, int]]) -> None:
    protocol = PROTOCOL[service]
    wanted = by_protocol.get(service) or by_protocol[protocol]
    assert (code_of(answer, protocol), answer.status) == wanted, answer.body
