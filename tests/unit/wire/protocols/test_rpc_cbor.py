import cbor2

from cumulet.core.http import BytesBody, Request
from cumulet.wire.codec import read_request, write_response

PATH = "/service/GraniteServiceVersion20100801/operation/"


def test_a_request_is_read(catalog):
    model = catalog.service("cloudwatch")
    told = {"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1.5}]}
    body = cbor2.dumps(told)
    request = Request("POST", PATH + "PutMetricData", body=BytesBody(body))
    operation = model.operation("PutMetricData")
    assert read_request(model, operation, "cbor", request, body) == told
    assert read_request(model, operation, "cbor", request, b"") == {}


def test_answers_say_their_protocol(catalog):
    model = catalog.service("cloudwatch")
    response = write_response(model, model.operation("PutMetricData"), "cbor", None, "id")
    assert response.body == b""
    assert dict(response.headers)["smithy-protocol"] == "rpc-v2-cbor"
    output = {"Metrics": [{"MetricName": "m"}]}
    response = write_response(model, model.operation("ListMetrics"), "cbor", output, "id")
    assert cbor2.loads(response.body) == output
    assert dict(response.headers)["content-type"] == "application/cbor"
