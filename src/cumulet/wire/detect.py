"""Which service, protocol and operation a request means, from cheap indicators.

Signatures are verified elsewhere: here the signing name is only a claim.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from cumulet.core.http import Request
from cumulet.wire.catalog import Catalog
from cumulet.wire.protocols.aws_query import FORM_TYPE, action_of, version_of
from cumulet.wire.routes import Router

_CBOR_PATH = re.compile(r"(?:/[^/]+)*/service/([^/]+)/operation/([^/]+)\Z")
_QUEUE_PATH = re.compile(r"/(?:(?:queue/[^/]+/)?\d{12}/[^/]+/?)?\Z")
_BUCKET_PATH = re.compile(r"/[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9](?:/.*)?\Z", re.DOTALL)
_S3_HOST = re.compile(r"(?:.+\.)?s3[.\-]")

FORMS = frozenset(("query", "ec2"))
"""Protocols whose requests are forms, with the operation in the body."""


class Target(NamedTuple):
    """What a request is for.

    `operation` is the name as claimed, which the model may not have; None when the request is in
    the query protocol and its body has to be read first (`Detector.settle`), or when no operation
    has its path. `service` is "" for an unsigned query request until it is settled.
    """

    service: str
    operation: str | None
    protocol: str

    @property
    def needs_body(self) -> bool:
        """Whether `Detector.settle` has to look at the body."""
        return self.protocol in FORMS and self.operation is None


class Detector:
    """Knows the services that are served by their prefixes, signing names and paths."""

    def __init__(self, catalog: Catalog, service_names: Iterable[str]) -> None:
        self._catalog = catalog
        self._by_prefix: dict[str, str] = {}
        self._by_signing_name: dict[str, list[str]] = {}
        self._by_version: dict[str, list[str]] = {}
        self._rest: list[str] = []
        self._routers: dict[str, Router] = {}
        self._targets: dict[str, Target] = {}
        self._actions: dict[tuple[str, str, str], Target] = {}
        for name in service_names:
            self._add(name)

    def _add(self, name: str) -> None:
        model = self._catalog.service(name)
        protocols = model.protocols
        if model.target_prefix:
            self._by_prefix[model.target_prefix] = name
        self._by_signing_name.setdefault(model.signing_name, []).append(name)
        if FORMS & set(protocols):
            self._by_version.setdefault(model.api_version, []).append(name)
        if protocols[0].startswith("rest-"):
            self._rest.append(name)

    def named(self, request: Request) -> Target | None:
        """The target of a request that names an operation in `X-Amz-Target`, known from before."""
        claimed = request.headers.first.get("x-amz-target")
        return None if claimed is None or request.method != "POST" else self._targets.get(claimed)

    def detect(self, request: Request, signing_name: str) -> Target | None:
        """The target of a request, or None when it is for no service that is served.

        `signing_name` is the service of the credential scope, or "" when there is no signature.
        """
        first = request.headers.first
        claimed = first.get("x-amz-target")
        if claimed and request.method == "POST":
            return self._by_target(claimed, signing_name)
        if first.get("smithy-protocol") == "rpc-v2-cbor":
            return self._by_cbor_path(request.path)
        names = self._by_signing_name.get(signing_name, ()) if signing_name else ()
        if (found := self._as_query(request, names, signing_name)) is not None:
            return found
        if signing_name:
            return self._by_path(request, names) or self._signed_for(names)
        return self._unsigned(request)

    def settle(self, target: Target, request: Request, body: bytes) -> Target | None:
        """The target of a query request with its operation, from `Action` and `Version`.

        None when no service that is served has the action. Raises MalformedRequest.
        """
        action = action_of(request, body)
        if target.service:
            return self._action(target, action)
        version = version_of(request, body)
        named = self._by_version.get(version, ())
        every = [name for names in self._by_version.values() for name in names]
        for name in (*named, *every):
            if self._catalog.service(name).operation(action) is not None:
                return Target(name, action, self._form(name))
        return Target(named[0], action, self._form(named[0])) if named else None

    def _action(self, target: Target, action: str) -> Target:
        known = (target.service, target.protocol, action)
        found = self._actions.get(known)
        if found is None:
            found = target._replace(operation=action)
            if self._catalog.service(target.service).operation(action) is not None:
                self._actions[known] = found
        return found

    def _by_target(self, claimed: str, signing_name: str) -> Target | None:
        prefix, _, operation = claimed.rpartition(".")
        service = self._by_prefix.get(prefix)
        if service is not None:
            target = Target(service, operation, "json")
            if self._catalog.service(service).operation(operation) is not None:
                self._targets[claimed] = target
            return target
        for name in self._by_signing_name.get(signing_name, ()):
            if "json" in self._catalog.service(name).protocols:
                return Target(name, operation, "json")
        return None

    def _by_cbor_path(self, path: str) -> Target | None:
        found = _CBOR_PATH.match(path)
        if found is None:
            return None
        service = self._by_prefix.get(found.group(1))
        if service is None or "cbor" not in self._catalog.service(service).protocols:
            return None
        return Target(service, found.group(2), "cbor")

    def _as_query(self, request: Request, names: Iterable[str], signing_name: str) -> Target | None:
        if request.method == "POST":
            given = request.headers.first.get("content-type", "")
            if not given.startswith(FORM_TYPE) and not given.lower().startswith(FORM_TYPE):
                return None
        elif request.method != "GET" or "Action=" not in request.query:
            return None
        for name in names:
            if form := self._form(name):
                return Target(name, None, form)
        if not signing_name and _QUEUE_PATH.match(request.path):
            return Target("", None, "query")
        return None

    def _form(self, name: str) -> str:
        """Which of the two protocols with forms a service speaks; "" for neither."""
        return next((one for one in self._catalog.service(name).protocols if one in FORMS), "")

    def _by_path(self, request: Request, names: Iterable[str]) -> Target | None:
        for name in names:
            if name in self._rest:
                operation = self._router(name).match(request)
                if operation is not None:
                    return Target(name, operation, self._catalog.service(name).protocols[0])
        return None

    def _signed_for(self, names: Iterable[str]) -> Target | None:
        """The service that the signature names, when the path is no operation's."""
        # Several services may sign with one name; S3's is S3's own before S3 Control's.
        for name in sorted(names, key=lambda one: one not in self._by_signing_name):
            return Target(name, None if name in self._rest else "", self._protocol(name))
        return None

    def _protocol(self, name: str) -> str:
        protocols = self._catalog.service(name).protocols
        return "json" if "json" in protocols else protocols[0]

    def _unsigned(self, request: Request) -> Target | None:
        """Paths of REST services are tried in order; S3's, which are any, come last."""
        is_s3_host = _S3_HOST.match(request.host) is not None
        if not is_s3_host:
            found = self._by_path(request, [name for name in self._rest if name != "s3"])
            if found is not None:
                return found
        # Only S3 has an operation at the root: it lists the buckets.
        is_root = request.path == "/" and request.method == "GET"
        if "s3" in self._rest and (is_s3_host or is_root or _BUCKET_PATH.match(request.path)):
            found = self._by_path(request, ("s3",))
            return found or Target("s3", None, "rest-xml")
        return None

    def _router(self, name: str) -> Router:
        found = self._routers.get(name)
        if found is None:
            found = self._routers[name] = Router(self._catalog.service(name))
        return found
