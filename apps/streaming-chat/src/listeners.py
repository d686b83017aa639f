"""The connections on which a user listens, and what is told there. A message is one JSON object:

    {"type": "pieces", "id", "attempt", "first", "texts"}   numbered from `first` on
    {"type": "end", "id", "attempt", "total", "reason"}
    {"type": "again", "id"}                                  an attempt failed; another will follow
    {"type": "failed", "id", "message"}
    {"type": "unknown", "id"}

Telling may fail, and nobody waits for it: a client that misses a number asks for what is kept.
"""

import json
import os

import boto3
import records
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# Where the SDK is told another endpoint, connections are found there too.
gateway = boto3.client(
    "apigatewaymanagementapi",
    endpoint_url=None if os.environ.get("AWS_ENDPOINT_URL") else os.environ["SOCKET_ENDPOINT"],
    config=Config(
        max_pool_connections=32,
        connect_timeout=2,
        read_timeout=5,
        retries={"mode": "standard", "total_max_attempts": 3},
    ),
)


class Listeners:
    """Where one user listens; asked anew from time to time, as clients come and go."""

    def __init__(self, user, connections=None):
        self._user = user
        self._connections = connections or []

    def refresh(self):
        self._connections = records.connections_of(self._user)

    def tell(self, kind, **content):
        data = json.dumps({"type": kind, **content}, ensure_ascii=False).encode()
        for connection in list(self._connections):
            try:
                gateway.post_to_connection(ConnectionId=connection, Data=data)
            except gateway.exceptions.GoneException:
                self._connections.remove(connection)
                records.disconnected(self._user, connection)
            except (BotoCoreError, ClientError) as cause:
                print(f"{connection} was not told: {cause}")
