"""A chat deployed by a template: three functions, and no table."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from tests.services.apigateway.sockets.conftest import SocketApi, told
from websockets import InvalidStatus

# Each function is told by its event where to post; the sender and the one it names get the words.
SAY = """
import json
import os
import boto3

def handler(event, context):
    said = json.loads(event["body"])
    here = event["requestContext"]
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or f"https://{here['domainName']}/{here['stage']}"
    client = boto3.client("apigatewaymanagementapi", endpoint_url=endpoint)
    for connection in said["to"]:
        client.post_to_connection(
            ConnectionId=connection,
            Data=json.dumps({"from": here["connectionId"], "text": said["text"]}).encode())
    return {"statusCode": 200}
"""
JOIN = """
def handler(event, context):
    named = (event.get("queryStringParameters") or {}).get("name")
    return {"statusCode": 200 if named else 401}
"""
WHO = """
def handler(event, context):
    return {"statusCode": 200, "body": '{"you": "' + event["requestContext"]["connectionId"] + '"}'}
"""


def function(name: str, code: str, *policies: Any) -> str:
    """A function, its integration, its permission, and its route as resources of a template."""
    body = "\n".join("        " + line for line in code.splitlines())
    granted = f"\n      Policies: {json.dumps(policies)}" if policies else ""
    return f"""
  {name}:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler{granted}
      InlineCode: |
{body}
  {name}Backend:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Chat
      IntegrationType: AWS_PROXY
      IntegrationUri: !Join
        - ""
        - - !Sub arn:aws:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/
          - !GetAtt {name}.Arn
          - /invocations
  {name}Permission:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !Ref {name}
      Principal: apigateway.amazonaws.com
      SourceArn: !Sub arn:aws:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Chat}}/*
"""


TEMPLATE = (
    """
Transform: AWS::Serverless-2016-10-31
Resources:
  Chat:
    Type: AWS::ApiGatewayV2::Api
    Properties:
      Name: chat
      ProtocolType: WEBSOCKET
      RouteSelectionExpression: $request.body.action
"""
    + function("Join", JOIN)
    + function(
        "Say",
        SAY,
        {
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "execute-api:ManageConnections",
                    "Resource": {
                        "Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:"
                        "${Chat}/live/POST/@connections/*"
                    },
                }
            ]
        },
    )
    + function("Who", WHO)
    + """
  JoinRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Chat
      RouteKey: $connect
      Target: !Sub integrations/${JoinBackend}
  SayRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Chat
      RouteKey: say
      Target: !Sub integrations/${SayBackend}
  WhoRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Chat
      RouteKey: $default
      RouteResponseSelectionExpression: $default
      Target: !Sub integrations/${WhoBackend}
  WhoAnswer:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties:
      ApiId: !Ref Chat
      RouteId: !Ref WhoRoute
      RouteResponseKey: $default
  Deployment:
    Type: AWS::ApiGatewayV2::Deployment
    DependsOn: [JoinRoute, SayRoute, WhoRoute, WhoAnswer]
    Properties:
      ApiId: !Ref Chat
  Live:
    Type: AWS::ApiGatewayV2::Stage
    Properties:
      ApiId: !Ref Chat
      StageName: live
      DeploymentId: !Ref Deployment
Outputs:
  Id:
    Value: !Ref Chat
"""
)


@pytest.fixture(scope="module")
def chat(cloud: Any) -> Iterator[SocketApi]:
    """The deployed chat."""
    stacks = cloud.client("cloudformation")
    name = f"chat-{uuid.uuid4().hex[:8]}"
    stacks.create_stack(
        StackName=name,
        TemplateBody=TEMPLATE,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    stacks.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    [output] = stacks.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    api = SocketApi(cloud, cloud.client("apigatewayv2"), output["OutputValue"], stage="live")
    with contextlib.closing(api.opened):
        yield api
    stacks.delete_stack(StackName=name)
    stacks.get_waiter("stack_delete_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def test_clients_of_a_chat_hear_one_another(chat: SocketApi):
    with pytest.raises(InvalidStatus, match="401"):
        chat.connect()
    ann, ben, cid = (chat.connect(f"name={name}") for name in ("ann", "ben", "cid"))
    ids = [told(client, {"action": "who"})["you"] for client in (ann, ben, cid)]
    ann.send(json.dumps({"action": "say", "to": [ids[0], ids[1]], "text": "hello"}))
    words = {"from": ids[0], "text": "hello"}
    assert told(ann) == words
    assert told(ben) == words
    # Nobody else heard it: the next thing that the third hears is its own answer.
    assert told(cid, {"action": "who"}) == {"you": ids[2]}


def test_saying_something_to_one_that_is_gone_fails(chat: SocketApi):
    ann = chat.connect("name=ann")
    ann.send(json.dumps({"action": "say", "to": ["AAAAAAAAAAAAAAA="], "text": "hello"}))
    assert told(ann)["message"] == "Internal server error"
