"""CloudFormation types of custom domains, client certificates and documentation."""

from cumulet.services.apigateway.resources.domains.client_certificate import CLIENT_CERTIFICATE
from cumulet.services.apigateway.resources.domains.documentation import PART, VERSION
from cumulet.services.apigateway.resources.domains.first import BASE_PATH_MAPPING, DOMAIN_NAME
from cumulet.services.apigateway.resources.domains.second import API_MAPPING, V2_DOMAIN_NAME

RESOURCES = (DOMAIN_NAME, BASE_PATH_MAPPING, CLIENT_CERTIFICATE, PART, VERSION)
V2_RESOURCES = (V2_DOMAIN_NAME, API_MAPPING)
