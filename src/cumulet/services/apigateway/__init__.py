"""API Gateway: REST, HTTP and WebSocket APIs and the front that serves them. Contents."""

from cumulet.kit.service import Service, operations_of
from cumulet.services.apigateway import store
from cumulet.services.apigateway.admission import store as admission_store
from cumulet.services.apigateway.admission.domains import store as domain_store
from cumulet.services.apigateway.openapi.documentation import store as documentation
from cumulet.services.apigateway.operations import (
    account,
    integration,
    method,
    model,
    resource,
    rest_api,
    tag,
    validator,
)
from cumulet.services.apigateway.operations.access import (
    api_key,
    authorizer,
    authorizer_test,
    import_keys,
    usage,
    usage_plan,
    usage_plan_key,
)
from cumulet.services.apigateway.operations.documents import (
    documentation_part,
    documentation_version,
    exporting,
    importing,
)
from cumulet.services.apigateway.operations.domains import (
    base_path_mapping,
    client_certificate,
    domain_name,
)
from cumulet.services.apigateway.operations.serving import (
    deployment,
    gateway_response,
    stage,
    trial,
)
from cumulet.services.apigateway.resources import RESOURCES
from cumulet.services.apigateway.resources.domains import V2_RESOURCES as V2_DOMAINS
from cumulet.services.apigateway.surface import ExecuteApi, provides
from cumulet.services.apigateway.v2 import store as v2_store
from cumulet.services.apigateway.v2.http.entry.front import provides as http_provides
from cumulet.services.apigateway.v2.http.entry.surface import HttpFront
from cumulet.services.apigateway.v2.operations import MODULES as V2_MODULES
from cumulet.services.apigateway.v2.resources import RESOURCES as V2_RESOURCES
from cumulet.services.apigateway.v2.sockets import MANAGEMENT, Sockets

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
        gateway_response,
        trial,
        model,
        validator,
        account,
        tag,
        authorizer,
        authorizer_test,
        api_key,
        import_keys,
        usage_plan,
        usage_plan_key,
        usage,
        domain_name,
        base_path_mapping,
        client_certificate,
        documentation_part,
        documentation_version,
        exporting,
    ),
    surfaces=(Sockets(HttpFront(ExecuteApi())), HttpFront(ExecuteApi())),
    resources=RESOURCES,
    provides=provides,
    tables=(*store.TABLES, *admission_store.TABLES, *domain_store.TABLES, *documentation.TABLES),
)
V2 = Service(
    name="apigatewayv2",
    prefix="apigateway",
    operations=operations_of(*V2_MODULES),
    resources=(*V2_RESOURCES, *V2_DOMAINS),
    provides=http_provides,
    tables=v2_store.TABLES,
)
SERVICES = (SERVICE, V2, MANAGEMENT)
