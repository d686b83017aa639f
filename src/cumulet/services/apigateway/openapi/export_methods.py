"""Methods and their integrations in exported documents. Pure; `plan.py` reads them back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.services.apigateway.admission.model import Authorizer
from cumulet.services.apigateway.limits import TIMEOUT_MS_DEFAULT
from cumulet.services.apigateway.model import Integration, Method, MethodResponse, Resource
from cumulet.services.apigateway.openapi.export_security import requirements_of

_X = "x-amazon-apigateway-"
_PLACES = {"path": "path", "querystring": "query", "header": "header"}
_REQUEST, _RESPONSE_HEADER = "method.request.", "method.response.header."


class Form(msgspec.Struct, frozen=True):
    """How an operation is written: for which version, with what, and which models there are."""

    is_swagger: bool
    integrations: bool
    authorizers: bool
    models: frozenset[str]

    def reference(self, model: str) -> dict[str, str]:
        """A reference to a model."""
        return {"$ref": ("#/definitions/" if self.is_swagger else "#/components/schemas/") + model}


def write_method(
    resource: Resource, method: Method, authorizers: Mapping[str, Authorizer], form: Form
) -> dict[str, Any]:
    """One operation of a document."""
    written: dict[str, Any] = {}
    if method.operation_name:
        written["operationId"] = method.operation_name
    requests = _known(method.request_models, form)
    parameters = [_parameter(name, needed, form) for name, needed in _parameters(method)]
    if form.is_swagger:
        written |= _swagger_kinds(method, requests, form)
        parameters += [_swagger_body(model, form) for model in list(requests.values())[:1]]
    if parameters:
        written["parameters"] = parameters
    if requests and not form.is_swagger:
        content = {kind: {"schema": form.reference(model)} for kind, model in requests.items()}
        written["requestBody"] = {"content": content, "required": True}
    written["responses"] = {
        status: _response(one, form) for status, one in (method.method_responses or {}).items()
    }
    if security := requirements_of(method, authorizers, extended=form.authorizers):
        written["security"] = security
    if form.integrations and method.method_integration is not None:
        written[f"{_X}integration"] = _integration(method.method_integration, resource.id)
    return written


def _known(models: Mapping[str, str] | None, form: Form) -> dict[str, str]:
    return {kind: name for kind, name in (models or {}).items() if name in form.models}


def _parameters(method: Method) -> list[tuple[str, bool]]:
    return sorted((method.request_parameters or {}).items())


def _parameter(name: str, needed: bool, form: Form) -> dict[str, Any]:
    place, _, plain = name.removeprefix(_REQUEST).partition(".")
    where = _PLACES.get(place, "query")
    written: dict[str, Any] = {"name": plain, "in": where}
    is_needed = needed or where == "path"
    if is_needed or form.is_swagger:
        written["required"] = is_needed
    return written | ({"type": "string"} if form.is_swagger else {"schema": {"type": "string"}})


def _swagger_kinds(method: Method, requests: Mapping[str, str], form: Form) -> dict[str, Any]:
    """Swagger tells content types once for all of an operation's bodies."""
    answers = [
        kind
        for one in (method.method_responses or {}).values()
        for kind in _known(one.response_models, form)
    ]
    found: dict[str, Any] = {}
    if requests:
        found["consumes"] = list(requests)
    if answers:
        found["produces"] = list(dict.fromkeys(answers))
    return found


def _swagger_body(model: str, form: Form) -> dict[str, Any]:
    return {"in": "body", "name": model, "required": True, "schema": form.reference(model)}


def _response(response: MethodResponse, form: Form) -> dict[str, Any]:
    written: dict[str, Any] = {"description": f"{response.status_code} response"}
    text = {"type": "string"} if form.is_swagger else {"schema": {"type": "string"}}
    if response.response_parameters:
        written["headers"] = {
            name.removeprefix(_RESPONSE_HEADER): text
            for name in sorted(response.response_parameters)
        }
    models = _known(response.response_models, form)
    if models and form.is_swagger:
        written["schema"] = form.reference(next(iter(models.values())))
    elif not form.is_swagger:
        written["content"] = {
            kind: {"schema": form.reference(name)} for kind, name in models.items()
        }
    return written


def _integration(integration: Integration, resource_id: str) -> dict[str, Any]:
    given: dict[str, Any] = msgspec.to_builtins(integration)
    responses = given.pop("integrationResponses", None) or {}
    written: dict[str, Any] = {"type": given.pop("type").lower()}
    if given["cacheNamespace"] == resource_id:
        del given["cacheNamespace"]
    if not given["cacheKeyParameters"]:
        del given["cacheKeyParameters"]
    # What is as usual is not told.
    if given.get("connectionType") == "INTERNET":
        del given["connectionType"]
    if given.get("timeoutInMillis") == TIMEOUT_MS_DEFAULT:
        del given["timeoutInMillis"]
    given["passthroughBehavior"] = given["passthroughBehavior"].lower()
    if responses:
        written["responses"] = {
            one.get("selectionPattern") or "default": {
                key: value for key, value in one.items() if key != "selectionPattern"
            }
            for one in responses.values()
        }
    return written | given
