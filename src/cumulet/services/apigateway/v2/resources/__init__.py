"""CloudFormation types of HTTP and WebSocket APIs.

AWS::ApiGatewayV2::ApiGatewayManagedOverrides and VpcLink are not among them, so that a template
that has one is refused by name.
"""

from cumulet.services.apigateway.v2.resources.answers import INTEGRATION_RESPONSE, ROUTE_RESPONSE
from cumulet.services.apigateway.v2.resources.api import API
from cumulet.services.apigateway.v2.resources.parts import AUTHORIZER, INTEGRATION, MODEL, ROUTE
from cumulet.services.apigateway.v2.resources.stage import DEPLOYMENT, STAGE

RESOURCES = (
    *(API, ROUTE, INTEGRATION, AUTHORIZER, MODEL, ROUTE_RESPONSE, INTEGRATION_RESPONSE),
    *(STAGE, DEPLOYMENT),
)
