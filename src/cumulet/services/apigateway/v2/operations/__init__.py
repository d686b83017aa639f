"""The operations of apigatewayv2, by noun."""

from cumulet.services.apigateway.v2.operations import (
    api,
    deployment,
    document,
    domains,
    stage,
    tag,
    vpc_link,
)
from cumulet.services.apigateway.v2.operations.answers import integration_response, route_response
from cumulet.services.apigateway.v2.operations.parts import authorizer, integration, model, route

MODULES = (
    api,
    document,
    route,
    route_response,
    integration,
    integration_response,
    authorizer,
    model,
    stage,
    deployment,
    domains,
    tag,
    vpc_link,
)
