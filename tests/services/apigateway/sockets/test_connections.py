"""`@connections`: PostToConnection, GetConnection, DeleteConnection, at every address."""

from __future__ import annotations

import http.client
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.services.apigateway.sockets.conftest import SocketApi, told
from websockets import ConnectionClosed


def opened(api: SocketApi) -> tuple[Any, str]:
    """A client and the id of its connection."""
    client = api.connect(user_agent_header="tester/2")
    return client, told(client, {})["requestContext"]["connectionId"]


def code_of(raised: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    answer = raised.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


@pytest.mark.parametrize("base", [None, "", "/prod"], ids=["path form", "root", "stage only"])
def test_client_gets_what_is_posted(echo: SocketApi, base: str | None):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
    client, connection = opened(echo)
    management = echo.management(base=base)
    management.post_to_connection(ConnectionId=connection, Data=b'{"hello": "\xc3\xa9"}')
    assert client.recv(timeout=20) == '{"hello": "é"}'
    management.post_to_connection(ConnectionId=connection, Data=b"\xff\x00")
    assert client.recv(timeout=20) == b"\xff\x00"


def test_the_apis_own_host_takes_them_too(echo: SocketApi):
    client, connection = opened(echo)
    assert echo.by_host("POST", connection, b"by host") == (200, b"")
    assert client.recv(timeout=20) == "by host"
    status, body = echo.by_host("GET", connection)
    assert status == 200
    assert sorted(json.loads(body)) == ["connectedAt", "identity", "lastActiveAt"]
    assert echo.by_host("DELETE", connection)[0] == 204


def test_long_data_comes_whole_and_too_long_data_is_refused(echo: SocketApi):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
    client, connection = opened(echo)
    management = echo.management()
    management.post_to_connection(ConnectionId=connection, Data=b"x" * 131_072)
    assert client.recv(timeout=20) == "x" * 131_072
    with pytest.raises(ClientError) as raised:
        management.post_to_connection(ConnectionId=connection, Data=b"x" * 131_073)
    assert code_of(raised) == (413, "PayloadTooLargeException")


def test_connection_is_described(echo: SocketApi):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
    _, connection = opened(echo)
    found = echo.management().get_connection(ConnectionId=connection)
    assert found["Identity"] == {"SourceIp": "127.0.0.1", "UserAgent": "tester/2"}
    now = datetime.now(UTC)
    assert now - timedelta(seconds=60) < found["ConnectedAt"] <= found["LastActiveAt"] <= now


def test_deleted_connection_is_closed_and_gone(echo: SocketApi):
    client, connection = opened(echo)
    management = echo.management()
    management.delete_connection(ConnectionId=connection)
    with pytest.raises(ConnectionClosed) as closed:
        client.recv(timeout=20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1000
    for call in (management.get_connection, management.delete_connection):
        with pytest.raises(ClientError) as raised:
            call(ConnectionId=connection)
        assert code_of(raised) == (410, "GoneException")


def test_unknown_and_foreign_connections_are_gone(echo: SocketApi, sockets: SocketApi):
    _, connection = opened(echo)
    sockets.route("$default", sockets.integration("MOCK"))
    sockets.deploy()
    for api, wanted in ((echo, "AAAAAAAAAAAAAAA="), (sockets, connection)):
        with pytest.raises(ClientError) as raised:
            api.management().post_to_connection(ConnectionId=wanted, Data=b"x")
        assert code_of(raised) == (410, "GoneException")


def test_address_without_a_stage_is_forbidden(echo: SocketApi):
    _, connection = opened(echo)
    for base in (f"/_aws/execute-api/{echo.id}/nowhere", "/_aws/execute-api/nothing1/prod"):
        with pytest.raises(ClientError) as raised:
            echo.management(base=base).get_connection(ConnectionId=connection)
        assert code_of(raised) == (403, "ForbiddenException")


def test_permission_is_asked_for_the_connection(echo: SocketApi):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-iam.html
    client, connection = opened(echo)
    iam = echo.cloud.client("iam")
    name = f"u-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    management = echo.management((made["AccessKeyId"], made["SecretAccessKey"]))
    with pytest.raises(ClientError) as raised:
        management.post_to_connection(ConnectionId=connection, Data=b"x")
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert "execute-api:ManageConnections" in str(raised.value)
    statement = {
        "Effect": "Allow",
        "Action": "execute-api:ManageConnections",
        "Resource": f"arn:aws:execute-api:us-east-1:*:{echo.id}/prod/POST/@connections/*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
    management.post_to_connection(ConnectionId=connection, Data=b"allowed")
    assert client.recv(timeout=20) == "allowed"
    with pytest.raises(ClientError) as raised:
        management.get_connection(ConnectionId=connection)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_unsigned_call_is_refused(echo: SocketApi):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-iam.html
    _, connection = opened(echo)
    unsigned = echo.cloud.client("apigatewaymanagementapi", unsigned=True)
    with pytest.raises(ClientError) as raised:
        unsigned.get_connection(ConnectionId=connection)
    assert code_of(raised)[0] == 403
    line = http.client.HTTPConnection("127.0.0.1", echo.port, timeout=20)
    line.request("POST", f"/prod/@connections/{connection}", b"x", {"Host": echo.host})
    answer = line.getresponse()
    assert answer.status == 403
    assert answer.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
    assert json.loads(answer.read()) == {"message": "Missing Authentication Token"}
    line.close()


def test_client_that_reads_nothing_is_full_in_the_end(echo: SocketApi):
    client, connection = opened(echo)
    # The library stops reading from the line when nobody takes its messages.
    management = echo.management()

    def flood() -> None:
        for _ in range(1_000):
            management.post_to_connection(ConnectionId=connection, Data=b"x" * 131_072)

    with pytest.raises(ClientError) as raised:
        flood()
    assert code_of(raised) == (429, "LimitExceededException")
    assert client.recv(timeout=20) == "x" * 131_072
