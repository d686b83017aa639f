"""S3 by plain HTTP, signed by botocore's signer: what SDKs would hide from a test."""

import http.client
import re
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


class _Signer(S3SigV4Auth):
    """Signs what the request says of its payload, where it says something."""

    said = ""

    def payload(self, request):
        return self.said or super().payload(request)


class Answer:
    """Status, headers and body as they came over the wire."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def field(self, name):
        """The text of an element of an error, or None."""
        found = re.search(f"<{name}>(.*?)</{name}>".encode(), self.body, re.DOTALL)
        return found and found[1].decode()

    @property
    def code(self):
        return self.field("Code")


def ask(cloud, method, path, body=b"", *, region="us-east-1", host=None, unsigned=False, **headers):
    """One request; header names are given with `_` for `-`."""
    split = urlsplit(cloud.endpoint)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    place = host or split.netloc
    if not unsigned:
        request = AWSRequest(method, f"http://{place}{path}", data=body, headers=named)
        request.context["payload_signing_enabled"] = True
        signer = _Signer(Credentials(*cloud.root_key), "s3", region)
        signer.said = named.get("x-amz-content-sha256", "")
        signer.add_auth(request)
        named = dict(request.headers.items())
    return send(cloud, method, path, body, {**named, "Host": place})


def send(cloud, method, path, body, headers):
    """One request with just these headers, and a length unless they say otherwise."""
    split = urlsplit(cloud.endpoint)
    connection = http.client.HTTPConnection(split.hostname, split.port, timeout=20)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.headers), answer.read())
    finally:
        connection.close()
