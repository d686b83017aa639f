"""AWS::ApiGatewayV2::RouteResponse and IntegrationResponse.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-integrationresponse.html
"""

from __future__ import annotations

from cumulet.kit.resources import TEXT, map_of
from cumulet.services.apigateway.v2.resources.parts import PARAMETERS, typed
from cumulet.services.apigateway.v2.resources.told import Part

ROUTE_RESPONSE = typed(
    "AWS::ApiGatewayV2::RouteResponse",
    Part(
        "RouteResponse",
        ("ApiId", "RouteId"),
        ("ModelSelectionExpression", "ResponseModels", "ResponseParameters", "RouteResponseKey"),
        {"ResponseModels": {}, "ResponseParameters": {}},
        ("RouteResponseKey",),
    ),
    {
        "ApiId": TEXT,
        "ModelSelectionExpression": TEXT,
        "ResponseModels": map_of(TEXT),
        "ResponseParameters": PARAMETERS,
        "RouteId": TEXT,
        "RouteResponseKey": TEXT,
    },
    "ApiId",
    "RouteId",
    "RouteResponseKey",
)

INTEGRATION_RESPONSE = typed(
    "AWS::ApiGatewayV2::IntegrationResponse",
    Part(
        "IntegrationResponse",
        ("ApiId", "IntegrationId"),
        (
            "ContentHandlingStrategy",
            "IntegrationResponseKey",
            "ResponseTemplates",
            "TemplateSelectionExpression",
        ),
        {"ResponseTemplates": {}},
        ("IntegrationResponseKey",),
    ),
    {
        "ApiId": TEXT,
        "ContentHandlingStrategy": TEXT,
        "IntegrationId": TEXT,
        "IntegrationResponseKey": TEXT,
        "ResponseTemplates": map_of(TEXT),
        "TemplateSelectionExpression": TEXT,
    },
    "ApiId",
    "IntegrationId",
    "IntegrationResponseKey",
)
