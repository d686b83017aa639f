"""WebSocket APIs at work: handshakes, messages by route, and connections by their ids. Contents."""

from cumulet.kit.service import Service, operations_of
from cumulet.services.apigateway.v2.sockets import operations
from cumulet.services.apigateway.v2.sockets.connections import store
from cumulet.services.apigateway.v2.sockets.surface import Sockets, provides

__all__ = ["MANAGEMENT", "Sockets"]

MANAGEMENT = Service(
    name="apigatewaymanagementapi",
    prefix="execute-api",
    operations=operations_of(operations),
    provides=provides,
    tables=store.TABLES,
)
"""`@connections`, which botocore has as a service of its own."""
