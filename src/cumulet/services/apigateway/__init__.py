"""API Gateway: REST APIs and the front that serves them. A table of contents."""

from cumulet.kit.service import Service, operations_of
from cumulet.services.apigateway import store
from cumulet.services.apigateway.operations import (
    account,
    deployment,
    importing,
    integration,
    method,
    model,
    resource,
    rest_api,
    stage,
    tag,
    validator,
)
from cumulet.services.apigateway.resources import RESOURCES
from cumulet.services.apigateway.surface import ExecuteApi, provides

SERVICE = Service(
    name="apigateway",
    prefix="apigateway",
    operations=operations_of(
        rest_api,
        importing,
        resource,
        method,
        integration,
        deployment,
        stage,
        model,
        validator,
        account,
        tag,
    ),
    surfaces=(ExecuteApi(),),
    resources=RESOURCES,
    provides=provides,
    tables=store.TABLES,
)
SERVICES = (SERVICE,)
