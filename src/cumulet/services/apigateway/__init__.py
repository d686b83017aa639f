"""API Gateway: REST APIs and the front that serves them. A table of contents."""

from cumulet.kit.service import Service, operations_of
from cumulet.services.apigateway import store
from cumulet.services.apigateway.operations import (
    account,
    deployment,
    integration,
    method,
    model,
    resource,
    rest_api,
    stage,
    tag,
)

SERVICE = Service(
    name="apigateway",
    prefix="apigateway",
    operations=operations_of(
        rest_api, resource, method, integration, deployment, stage, model, account, tag
    ),
    tables=store.TABLES,
)
SERVICES = (SERVICE,)
