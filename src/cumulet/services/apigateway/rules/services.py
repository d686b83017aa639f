"""Integrations with AWS services other than Lambda: their URIs, and where their requests go. Pure.

https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html (`uri`)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_URI = re.compile(
    r"arn:aws[a-z-]*:apigateway:(?P<region>[^:]*):(?P<service>[A-Za-z0-9.-]+):"
    r"(?P<kind>path|action)/(?P<rest>.*)\Z",
    re.DOTALL,
)
_DOMAIN = "amazonaws.com"
_ENDPOINTS = {
    "cognito-idp": "cognito-idp",
    "monitoring": "monitoring",
    "cloudwatch": "monitoring",
    "states": "states",
}
"""Services whose host begins otherwise than their name says."""


@dataclass(frozen=True, slots=True)
class ServiceTarget:
    """Where an integration's request goes: `rest` is an action's name, or a path with its query.

    `service` is the name that signatures have; `host` is the service's own in AWS.
    """

    region: str
    service: str
    subdomain: str
    is_action: bool
    rest: str

    @property
    def host(self) -> str:
        """The name of the service's endpoint, with the subdomain before it."""
        name = _ENDPOINTS.get(self.service, self.service)
        host = f"{name}.{self.region}.{_DOMAIN}"
        return f"{self.subdomain}.{host}" if self.subdomain else host


def parse_service_uri(uri: str) -> ServiceTarget | None:
    """The target of an integration's URI, `…:{subdomain.}service:{path|action}/…`, or None."""
    found = _URI.match(uri)
    if found is None or not found["rest"] or not found["region"]:
        return None
    subdomain, _, service = found["service"].rpartition(".")
    return ServiceTarget(
        region=found["region"],
        service=service,
        subdomain=subdomain,
        is_action=found["kind"] == "action",
        rest=found["rest"],
    )
