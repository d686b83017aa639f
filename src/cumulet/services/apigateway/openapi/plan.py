"""What an OpenAPI document makes of an API: settings, models, validators, methods by path."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cumulet.core.errors import AwsError
from cumulet.services.apigateway.admission.model import Authorizer
from cumulet.services.apigateway.errors import BadRequestException, not_yet
from cumulet.services.apigateway.model import GatewayResponse, Method, MethodResponse
from cumulet.services.apigateway.openapi.document import Document, place_paths
from cumulet.services.apigateway.openapi.documentation.rules import Said, read_parts
from cumulet.services.apigateway.openapi.integration import with_integration
from cumulet.services.apigateway.openapi.security import read_authorizers, read_required
from cumulet.services.apigateway.rules.gateway_responses import parse_gateway_response
from cumulet.services.apigateway.rules.methods import check_method, check_method_response
from cumulet.services.apigateway.rules.names import ANY, HTTP_METHODS

_X = "x-amazon-apigateway-"
_PLACES = {"path": "path", "query": "querystring", "header": "header"}
_IN_PATH = re.compile(r"\{([a-zA-Z0-9._$-]+)\+?\}")
_PARAMETER_NAME = re.compile(r"[a-zA-Z0-9._$\-]+\Z")
_STATUS = re.compile(r"[1-5]\d\d\Z")
_JSON = "application/json"


@dataclass(slots=True)
class Plan:
    """An API as a document describes it. `settings` are in AWS's spelling."""

    settings: dict[str, Any]
    methods: dict[str, dict[str, Method]] = field(default_factory=dict)
    models: dict[str, tuple[str, str, str | None]] = field(default_factory=dict)
    """Content type, schema and description by name."""
    validators: dict[str, tuple[bool, bool]] = field(default_factory=dict)
    """Whether they check the body and the parameters, by name; methods name them so as well."""
    warnings: list[str] = field(default_factory=list)
    authorizers: dict[str, Authorizer] = field(default_factory=dict)
    """Authorizers by name, without ids; methods name them so as well."""
    responses: list[GatewayResponse] = field(default_factory=list)
    documentation: list[Said] = field(default_factory=list)


def plan_api(document: Document, parameters: Mapping[str, str], api_id: str) -> Plan:
    """Everything that a document says. Raises BadRequestException.

    `parameters` are the import's: `basepath`, `endpointConfigurationTypes`, `ignore`.
    """
    return _Planner(document, api_id).plan(parameters)


class _Planner:
    """Walks one document."""

    def __init__(self, document: Document, api_id: str) -> None:
        self._document = document
        self._api_id = api_id
        self._plan = Plan(_settings(document))

    def plan(self, parameters: Mapping[str, str]) -> Plan:
        plan, document = self._plan, self._document
        if kind := parameters.get("endpointConfigurationTypes"):
            plan.settings.setdefault("endpointConfiguration", {})["types"] = [kind]
        for name, schema in document.schemas.items():
            self._add_model(name, schema)
        for name, one in document.part(f"{_X}request-validators").items():
            plan.validators[name] = (
                bool(one.get("validateRequestBody")),
                bool(one.get("validateRequestParameters")),
            )
        plan.authorizers = read_authorizers(document, self._api_id)
        for kind, one in document.part(f"{_X}gateway-responses").items():
            plan.responses.append(parse_gateway_response(self._api_id, kind, one))
        if parameters.get("ignore") != "documentation":
            plan.documentation = read_parts(document.root)
        for path, item in place_paths(document, parameters.get("basepath", "ignore")).items():
            plan.methods[path] = {}
            for verb, operation in _operations(item):
                try:
                    plan.methods[path][verb] = self._method(path, verb, item, operation)
                except AwsError as cause:
                    raise BadRequestException(
                        f"Errors found during import:\n\tUnable to put method '{verb}' on "
                        f"resource at path '{path}': {cause.message}"
                    ) from cause
        return plan

    def _add_model(self, name: str, schema: Any, kind: str = _JSON) -> str:
        """Keep a schema as a model; the name it gets, which has letters and digits only."""
        plain = "".join(letter for letter in name if letter.isascii() and letter.isalnum())
        if not plain:
            raise BadRequestException(f"Invalid model name specified: {name}")
        if plain != name:
            self._plan.warnings.append(f"The model {name} was imported as {plain}")
        description = schema.get("description") if isinstance(schema, dict) else None
        text = json.dumps(self._with_model_urls(schema), ensure_ascii=False)
        self._plan.models[plain] = (kind, text, description)
        return plain

    def _with_model_urls(self, schema: Any) -> Any:
        """The schema with references to named schemas as models refer to one another."""
        if isinstance(schema, list):
            return [self._with_model_urls(item) for item in schema]
        if not isinstance(schema, dict):
            return schema
        reference = schema.get("$ref")
        if isinstance(reference, str) and (name := _schema_name(reference)):
            plain = "".join(letter for letter in name if letter.isascii() and letter.isalnum())
            return {
                "$ref": f"https://apigateway.amazonaws.com/restapis/{self._api_id}/models/{plain}"
            }
        return {key: self._with_model_urls(item) for key, item in schema.items()}

    def _model_of(self, schema: Any, verb: str, hint: str) -> str | None:
        """The model's name for a schema in an operation; one without a name gets one."""
        if not isinstance(schema, dict) or not schema:
            return None
        reference = schema.get("$ref")
        if isinstance(reference, str) and (name := _schema_name(reference)):
            return "".join(letter for letter in name if letter.isascii() and letter.isalnum())
        return self._add_model(f"MODEL{verb}{hint}{len(self._plan.models)}", schema)

    def _method(
        self, path: str, verb: str, item: Mapping[str, Any], operation: Mapping[str, Any]
    ) -> Method:
        parameters = self._parameters(item, operation)
        validator = operation.get(
            f"{_X}request-validator", self._document.root.get(f"{_X}request-validator")
        )
        required = read_required(self._document, operation, self._plan.authorizers)
        method = Method(
            http_method=verb,
            authorization_type=required.kind,
            api_key_required=required.key,
            authorizer_id=required.authorizer,
            authorization_scopes=required.scopes,
            request_validator_id=self._validator(validator),
            operation_name=operation.get("operationId"),
            request_parameters=_request_parameters(parameters, path) or None,
            request_models=self._request_models(verb, parameters, operation) or None,
            method_responses=self._responses(verb, operation) or None,
        )
        check_method(method)
        for response in (method.method_responses or {}).values():
            check_method_response(response)
        self._warn_of_mappings(path, verb, operation)
        return with_integration(method, operation)

    def _warn_of_mappings(self, path: str, verb: str, operation: Mapping[str, Any]) -> None:
        """Mappings that are no text are left out; AWS says so."""
        integration = operation.get(f"{_X}integration")
        given = integration.get("requestParameters") if isinstance(integration, dict) else None
        if not isinstance(given, dict):
            return
        self._plan.warnings += [
            "Invalid format for 'requestParameters'. Expected type string for property "
            f"'{name}' of resource '{path}' and method '{verb}' but got '{json.dumps(value)}'"
            for name, value in given.items()
            if not isinstance(value, str)
        ]

    def _validator(self, name: Any) -> str | None:
        if name is None:
            return None
        if name not in self._plan.validators:
            raise BadRequestException("Invalid Request Validator identifier specified")
        return str(name)

    def _parameters(
        self, item: Mapping[str, Any], operation: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """The operation's parameters over those of its path."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for given in (*(item.get("parameters") or ()), *(operation.get("parameters") or ())):
            one = self._document.resolve(given)
            found[str(one.get("in")), str(one.get("name"))] = one
        return list(found.values())

    def _request_models(
        self, verb: str, parameters: list[dict[str, Any]], operation: Mapping[str, Any]
    ) -> dict[str, str]:
        found: dict[str, str] = {}
        if self._document.is_swagger:
            kinds = operation.get("consumes", self._document.root.get("consumes")) or [_JSON]
            body = next((one for one in parameters if one.get("in") == "body"), None)
            name = self._model_of(body.get("schema"), verb, "Request") if body else None
            return {str(kind): name for kind in kinds} if name else {}
        if "requestBody" in operation:
            content = self._document.resolve(operation["requestBody"]).get("content") or {}
            for kind, media in content.items():
                if name := self._model_of(media.get("schema"), verb, "Request"):
                    found[kind] = name
        return found

    def _responses(self, verb: str, operation: Mapping[str, Any]) -> dict[str, MethodResponse]:
        found: dict[str, MethodResponse] = {}
        for status, given in (operation.get("responses") or {}).items():
            if not _STATUS.match(status):
                continue
            one = self._document.resolve(given)
            headers = {f"method.response.header.{name}": False for name in one.get("headers") or {}}
            found[status] = MethodResponse(
                status_code=status,
                response_parameters=headers or None,
                response_models=self._response_models(verb, status, one, operation) or None,
            )
        return dict(sorted(found.items()))

    def _response_models(
        self, verb: str, status: str, response: Mapping[str, Any], operation: Mapping[str, Any]
    ) -> dict[str, str]:
        if self._document.is_swagger:
            kinds = operation.get("produces", self._document.root.get("produces")) or [_JSON]
            name = self._model_of(response.get("schema"), verb, f"Response{status}")
            return {str(kind): name for kind in kinds} if name else {}
        found: dict[str, str] = {}
        for kind, media in (response.get("content") or {}).items():
            if name := self._model_of(media.get("schema"), verb, f"Response{status}"):
                found[kind] = name
        return found


_UNSERVED = {
    f"{_X}security-policy": "The securityPolicy of an API is",
    f"{_X}endpoint-access-mode": "The endpointAccessMode of an API is",
}


def _settings(document: Document) -> dict[str, Any]:
    info, root = document.part("info"), document.root
    for extension, words in _UNSERVED.items():
        if extension in root:
            raise not_yet(words)
    title = info.get("title")
    if not isinstance(title, str) or not title.strip():
        raise BadRequestException("Invalid OpenAPI input.")
    settings: dict[str, Any] = {"name": title}
    for member in ("description", "version"):
        if info.get(member) not in (None, ""):
            settings[member] = str(info[member])
    if (types := root.get(f"{_X}binary-media-types")) is not None:
        settings["binaryMediaTypes"] = [str(kind) for kind in types]
    if (least := root.get(f"{_X}minimum-compression-size")) is not None:
        settings["minimumCompressionSize"] = int(least)
    if (source := root.get(f"{_X}api-key-source")) is not None:
        settings["apiKeySource"] = str(source).upper()
    if (policy := root.get(f"{_X}policy")) is not None:
        settings["policy"] = policy if isinstance(policy, str) else json.dumps(policy)
    endpoint = root.get(f"{_X}endpoint-configuration") or document.server.get(
        f"{_X}endpoint-configuration"
    )
    if isinstance(endpoint, dict):
        if endpoint.get("vpcEndpointIds"):
            raise not_yet("Private APIs are")
        if endpoint.get("types"):
            settings["endpointConfiguration"] = {"types": list(endpoint["types"])}
        if address := endpoint.get("ipAddressType"):
            settings.setdefault("endpointConfiguration", {})["ipAddressType"] = str(address)
        if "disableExecuteApiEndpoint" in endpoint:
            settings["disableExecuteApiEndpoint"] = bool(endpoint["disableExecuteApiEndpoint"])
    return settings


def _operations(item: Mapping[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    for key, operation in item.items():
        verb = ANY if key == f"{_X}any-method" else key.upper()
        known = verb == ANY or key.upper() in HTTP_METHODS
        if known and isinstance(operation, dict) and not (verb == ANY and key == "any"):
            yield verb, operation


def _schema_name(reference: str) -> str:
    for prefix in ("#/definitions/", "#/components/schemas/"):
        if reference.startswith(prefix):
            return reference.removeprefix(prefix)
    return ""


def _request_parameters(parameters: list[dict[str, Any]], path: str) -> dict[str, bool]:
    """The declared parameters, and those of the path that are not declared."""
    declared = {
        f"method.request.{_PLACES[one['in']]}.{one['name']}": bool(one.get("required"))
        for one in parameters
        if one.get("in") in _PLACES and _PARAMETER_NAME.match(str(one.get("name")))
    }
    taken = {str(one.get("name")) for one in parameters}
    implied = [name for name in _IN_PATH.findall(path) if name not in taken]
    return declared | {f"method.request.path.{name}": True for name in implied}
