"""Methods and integrations as they are given to us: checks, defaults and patch rules. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.identity import parse_arn
from cumulet.services.apigateway.admission.limits import SCOPES_MAX
from cumulet.services.apigateway.errors import BadRequestException, not_yet
from cumulet.services.apigateway.limits import (
    STREAM_TIMEOUT_MS_MAX,
    TEMPLATE_BYTES_MAX,
    TIMEOUT_MS_DEFAULT,
    TIMEOUT_MS_MAX,
    TIMEOUT_MS_MIN,
)
from cumulet.services.apigateway.model import (
    Integration,
    IntegrationResponse,
    Method,
    MethodResponse,
    TlsConfig,
)
from cumulet.services.apigateway.rules.mapping import (
    check_method_parameters,
    check_method_response_parameters,
    parse_request_mappings,
    parse_response_mappings,
)
from cumulet.services.apigateway.rules.names import ANY, HTTP_METHODS
from cumulet.services.apigateway.rules.patterns import BadPattern, compile_pattern
from cumulet.services.apigateway.rules.services import parse_service_uri
from cumulet.services.apigateway.templates import TemplateError, parse_template

_PASSTHROUGH = ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
_CONTENT_HANDLING = ("CONVERT_TO_BINARY", "CONVERT_TO_TEXT")
_CONTENT_TYPE = re.compile(r"[\w!#$&^.+*-]+/[\w!#$&^.+*-]+(?:\s*;.*)?\Z")
_LAMBDA_URI = re.compile(
    r"arn:aws[a-z-]*:apigateway:[^:]*:lambda:path/"
    r"(?:2015-03-31/functions/(?P<function>.+)/invocations"
    r"|2021-11-15/functions/(?P<streaming>.+)/response-streaming-invocations)\Z"
)
_TRANSFER_MODES = ("BUFFERED", "STREAM")
CALLERS_OWN = "arn:aws:iam::*:user/*"
"""The credentials of an integration that is carried out in its caller's name."""
_HTTP_URI = re.compile(r"https?://[^\s/?#]+[^\s]*\Z")


AUTHORIZERS = ("CUSTOM", "COGNITO_USER_POOLS")
"""Types of authorization that name an authorizer."""


def check_method(method: Method) -> None:
    """Refuse what a method may not say. Whether its authorizer exists is not known here."""
    if method.authorization_type not in ("NONE", "AWS_IAM", *AUTHORIZERS):
        raise BadRequestException(
            "Invalid authorization type specified. Valid options are NONE,AWS_IAM,CUSTOM,"
            "COGNITO_USER_POOLS"
        )
    if method.authorization_scopes:
        if method.authorization_type != "COGNITO_USER_POOLS":
            raise BadRequestException(
                "Authorization scopes can be specified for COGNITO_USER_POOLS authorization only"
            )
        if len(method.authorization_scopes) > SCOPES_MAX:
            raise BadRequestException(f"A method can have at most {SCOPES_MAX} scopes")
    check_method_parameters(method.request_parameters)


def without_stray_authorizer(method: Method) -> Method:
    """The method without the authorizer that its type of authorization does not ask for."""
    if method.authorization_type in AUTHORIZERS:
        return method
    return msgspec.structs.replace(method, authorizer_id=None)


def check_authorizer_of(method: Method, kind: str | None) -> None:
    """Raise BadRequestException unless the method's authorizer, which is of this kind, fits.

    `kind` is None when there is no such authorizer.
    """
    if method.authorization_type not in AUTHORIZERS:
        return
    is_pool = method.authorization_type == "COGNITO_USER_POOLS"
    if kind is None or (kind == "COGNITO_USER_POOLS") is not is_pool:
        raise BadRequestException(
            "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or "
            "COGNITO_USER_POOLS requires a valid authorizer."
        )


def check_method_response(response: MethodResponse) -> None:
    """Refuse what a method response may not say. Raises BadRequestException."""
    check_method_response_parameters(response.response_parameters)


def parse_integration(given: Mapping[str, Any], namespace: str) -> Integration:
    """An integration from members in AWS's spelling, with AWS's defaults; not yet checked.

    `namespace` is the resource's id, which names its cache unless told otherwise.
    """
    kind = given["type"]
    is_http = kind in ("HTTP", "HTTP_PROXY")
    # A mock has no backend: AWS keeps nothing of what is said of one.
    is_mock = kind == "MOCK"
    tls = given.get("tlsConfig")
    return Integration(
        type=kind,
        http_method=None if is_mock else given.get("integrationHttpMethod"),
        uri=None if is_mock else given.get("uri"),
        connection_type=given.get("connectionType") or ("INTERNET" if is_http else None),
        credentials=given.get("credentials"),
        request_parameters=given.get("requestParameters"),
        request_templates=given.get("requestTemplates"),
        passthrough_behavior=given.get("passthroughBehavior") or "WHEN_NO_MATCH",
        content_handling=given.get("contentHandling"),
        timeout_in_millis=given.get("timeoutInMillis") or TIMEOUT_MS_DEFAULT,
        cache_namespace=given.get("cacheNamespace") or namespace,
        cache_key_parameters=tuple(given.get("cacheKeyParameters") or ()),
        tls_config=msgspec.convert(tls, TlsConfig) if tls else None,
        response_transfer_mode=given.get("responseTransferMode"),
    )


def check_unserved(given: Mapping[str, Any]) -> None:
    """Refuse the members of PutIntegration that AWS serves and Cumulet does not yet."""
    if given.get("connectionType") == "VPC_LINK" or given.get("connectionId"):
        raise not_yet("VPC links are")
    if given.get("integrationTarget"):
        raise not_yet("Integration targets are")


def check_integration(integration: Integration, method: Method) -> None:
    """Refuse what an integration of this method may not say. Raises BadRequestException."""
    if integration.type != "MOCK":
        _check_backend(integration)
    if integration.connection_type == "VPC_LINK":
        raise not_yet("VPC links are")
    _check_transfer(integration)
    longest = STREAM_TIMEOUT_MS_MAX if streams(integration) else TIMEOUT_MS_MAX
    if not TIMEOUT_MS_MIN <= integration.timeout_in_millis <= longest:
        raise BadRequestException(f"Timeout should be between {TIMEOUT_MS_MIN} ms and {longest} ms")
    _check_cache_keys(integration)
    if integration.passthrough_behavior not in _PASSTHROUGH:
        raise BadRequestException(
            f"Invalid passthrough behavior specified. Valid options are {','.join(_PASSTHROUGH)}"
        )
    check_content_handling(integration.content_handling)
    check_templates(integration.request_templates)
    parse_request_mappings(integration.request_parameters, method.request_parameters or {})


def streams(integration: Integration) -> bool:
    """Whether the backend's answer is passed on while it comes."""
    return integration.response_transfer_mode == "STREAM"


def _check_transfer(integration: Integration) -> None:
    mode = integration.response_transfer_mode
    if mode is not None and mode not in _TRANSFER_MODES:
        raise BadRequestException(
            f"Invalid responseTransferMode specified. Valid options are {','.join(_TRANSFER_MODES)}"
        )
    found = _LAMBDA_URI.match(integration.uri or "")
    has_stream_uri = found is not None and found["streaming"] is not None
    if streams(integration) and integration.type not in ("AWS_PROXY", "HTTP_PROXY"):
        raise BadRequestException(
            "ResponseTransferMode STREAM is only supported for AWS_PROXY and HTTP_PROXY "
            "integrations"
        )
    if integration.type != "HTTP_PROXY" and has_stream_uri != streams(integration):
        raise BadRequestException(
            "Integrations with responseTransferMode STREAM must use the URI of "
            "response-streaming-invocations, and others must not"
        )


_CACHE_KEY = re.compile(
    r"(?:method|integration)\.request\.(?:querystring|header|path)\.[a-zA-Z0-9._$\-]+\Z"
)


def _check_cache_keys(integration: Integration) -> None:
    for name in integration.cache_key_parameters:
        if not _CACHE_KEY.match(name):
            raise BadRequestException(f"Invalid cache key parameter specified: {name}")


def _check_backend(integration: Integration) -> None:
    if not integration.http_method:
        raise BadRequestException("Enumeration value for HttpMethod must be non-empty")
    if integration.http_method not in HTTP_METHODS and integration.http_method != ANY:
        raise BadRequestException(
            f"Invalid HttpMethod specified. Valid options are {','.join((*HTTP_METHODS, ANY))}"
        )
    uri = integration.uri or ""
    if integration.type in ("HTTP", "HTTP_PROXY"):
        if not _HTTP_URI.match(uri):
            raise BadRequestException("Invalid HTTP endpoint specified for URI")
        return
    arn = parse_arn(uri)
    if arn is None:
        raise BadRequestException("Invalid ARN specified in the request")
    if arn.service != "apigateway" or (":path/" not in uri and ":action/" not in uri):
        raise BadRequestException("AWS ARN for integration must contain path or action")
    own = None if integration.credentials == CALLERS_OWN else integration.credentials
    if lambda_function_of(uri) is not None:
        check_credentials(own)
        return
    if integration.type == "AWS_PROXY":
        raise BadRequestException(
            "Integrations of type 'AWS_PROXY' currently only supports Lambda function and "
            "Firehose stream invocations."
        )
    if parse_service_uri(uri) is None:
        raise BadRequestException("Invalid ARN specified in the request")
    if not integration.credentials:
        raise BadRequestException("Role ARN must be specified for AWS integrations")
    check_credentials(own)


def check_credentials(credentials: str | None) -> None:
    """Raise BadRequestException unless an integration may use these credentials."""
    if credentials is None:
        return
    arn = parse_arn(credentials)
    if arn is None or arn.service != "iam":
        raise BadRequestException("Invalid ARN specified in the request")
    if arn.account == "*":
        raise not_yet("Integrations with the caller's own credentials are")


def lambda_function_of(uri: str) -> str | None:
    """The function that an integration's URI invokes (an ARN, maybe with variables), or None."""
    found = _LAMBDA_URI.match(uri)
    function = "" if found is None else found["function"] or found["streaming"]
    return function if function.startswith("arn:") and ":lambda:" in function else None


def check_integration_response(response: IntegrationResponse, declared: MethodResponse) -> None:
    """Refuse what an integration response may not say. Raises BadRequestException."""
    if response.selection_pattern:
        try:
            compile_pattern(response.selection_pattern)
        except BadPattern as cause:
            raise BadRequestException(
                f"Invalid selection pattern specified: {response.selection_pattern}"
            ) from cause
    check_content_handling(response.content_handling)
    check_templates(response.response_templates)
    parse_response_mappings(response.response_parameters, declared.response_parameters or {})


def check_content_handling(given: str | None) -> None:
    """Raise BadRequestException unless it is one of AWS's two conversions."""
    if given is not None and given not in _CONTENT_HANDLING:
        raise BadRequestException(
            f"Invalid content handling specified. Valid options are {','.join(_CONTENT_HANDLING)}"
        )


def check_templates(templates: Mapping[str, str | None] | None) -> None:
    """Raise BadRequestException for a content type or a mapping template that is none."""
    for content_type, template in (templates or {}).items():
        if not _CONTENT_TYPE.match(content_type):
            raise BadRequestException(
                "Validation Result: warnings : [], errors : "
                f"[Invalid content type specified: {content_type}]"
            )
        if template is None:
            continue
        if len(template.encode()) > TEMPLATE_BYTES_MAX:
            raise BadRequestException(
                f"Mapping template is larger than {TEMPLATE_BYTES_MAX} bytes: {content_type}"
            )
        try:
            parse_template(template)
        except TemplateError as cause:
            raise BadRequestException(f"Invalid mapping template specified: {cause}") from cause
