"""CloudFormation types of API Gateway."""

from cumulet.services.apigateway.resources.access import ACCESS
from cumulet.services.apigateway.resources.domains import RESOURCES as DOMAINS
from cumulet.services.apigateway.resources.gateway_response import GATEWAY_RESPONSE
from cumulet.services.apigateway.resources.method import METHOD, MODEL, RESOURCE, VALIDATOR
from cumulet.services.apigateway.resources.rest_api import ACCOUNT, REST_API
from cumulet.services.apigateway.resources.stage import DEPLOYMENT, STAGE

RESOURCES = (
    *(REST_API, RESOURCE, METHOD, MODEL, VALIDATOR, DEPLOYMENT, STAGE, ACCOUNT),
    GATEWAY_RESPONSE,
    *ACCESS,
    *DOMAINS,
)
