"""CloudFormation types of Lambda, each step as the engine takes it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Lambda.html
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.services.lambda_.conftest import pack
from tests.services.lambda_.inside import SCOPE, Inside, run_inside

from cumulet.core.errors import AwsError
from cumulet.core.http import BytesBody
from cumulet.kit.resources import Draft, ResourceType, ResourceTypes

ECHO = "def handler(event, context):\n    return 'echo'\n"


def draft(logical_id: str, token: str = "0123456789abcdef") -> Draft:
    return Draft("arn:stack", "stack", logical_id, token)


@pytest.fixture
def inside(tmp_path: Path) -> Callable[[Callable[[Inside], Awaitable[None]]], None]:
    def run(story: Callable[[Inside], Awaitable[None]]) -> None:
        run_inside(tmp_path / "data", story)

    return run


def kind(here: Inside, name: str) -> ResourceType:
    found: ResourceType = here.platform.need(ResourceTypes)[f"AWS::Lambda::{name}"]
    return found


def inline(here: Inside, text: str = ECHO, **more: Any) -> dict[str, Any]:
    return {
        "Code": {"ZipFile": text},
        "Role": here.role,
        "Runtime": "python3.11",
        "Handler": "index.handler",
        **more,
    }


async def result(here: Inside, function: str) -> Any:
    answer = await here.call("lambda", "Invoke", FunctionName=function)
    return json.loads(answer["Payload"])


def test_a_function_lives_from_create_to_delete(inside: Any) -> None:
    async def story(here: Inside) -> None:
        function = kind(here, "Function")
        ctx = here.context()
        props = inline(
            here,
            Timeout=9,
            Tags=[{"Key": "a", "Value": "1"}],
            ReservedConcurrentExecutions=3,
            RecursiveLoop="Allow",
        )
        made = await function.create(ctx, props, draft("Fn"))
        assert made.physical_id.startswith("stack-Fn-")
        assert made.attributes["Arn"] == SCOPE.arn("lambda", f"function:{made.physical_id}")
        assert await function.create(ctx, props, draft("Fn")) == made, "a step may be repeated"
        assert await result(here, made.physical_id) == "echo"
        assert function.read is not None
        assert function.update is not None
        live = await function.read(ctx, made.physical_id, props)
        assert live is not None
        assert live["Timeout"] == 9
        assert live["ReservedConcurrentExecutions"] == 3
        new = inline(here, ECHO.replace("echo", "changed"), Tags=[{"Key": "b", "Value": "2"}])
        assert await function.update(ctx, made.physical_id, props, new, draft("Fn")) == made
        assert await result(here, made.physical_id) == "changed"
        live = await function.read(ctx, made.physical_id, new)
        assert live is not None
        assert live["Timeout"] == 3, "a property that left goes back to its default"
        assert live["Tags"] == [{"Key": "b", "Value": "2"}]
        assert "ReservedConcurrentExecutions" not in live
        await function.delete(ctx, made.physical_id, new)
        await function.delete(ctx, made.physical_id, new)
        assert await function.read(ctx, made.physical_id, new) is None

    inside(story)


def test_a_name_of_somebody_else_is_not_taken_over(inside: Any) -> None:
    async def story(here: Inside) -> None:
        name = await here.function(ECHO)
        with pytest.raises(AwsError) as caught:
            await kind(here, "Function").create(
                here.context(), inline(here, FunctionName=name), draft("Fn")
            )
        assert caught.value.code == "ResourceConflictException"

    inside(story)


def test_inline_code_may_import_the_response_module(inside: Any) -> None:
    async def story(here: Inside) -> None:
        text = "import cfnresponse\ndef handler(event, context):\n    return cfnresponse.SUCCESS\n"
        made = await kind(here, "Function").create(here.context(), inline(here, text), draft("Fn"))
        assert await result(here, made.physical_id) == "SUCCESS"

    inside(story)


def test_code_from_a_bucket(inside: Any) -> None:
    async def story(here: Inside) -> None:
        await here.call(
            "s3", "PutObject", Bucket=here.bucket, Key="c.zip", Body=BytesBody(pack(ECHO))
        )
        props = inline(here, Code={"S3Bucket": here.bucket, "S3Key": "c.zip"})
        made = await kind(here, "Function").create(here.context(), props, draft("Fn"))
        assert await result(here, made.physical_id) == "echo"

    inside(story)


def test_versions_and_aliases(inside: Any) -> None:
    async def story(here: Inside) -> None:
        name = await here.function(ECHO)
        ctx = here.context()
        version, alias = kind(here, "Version"), kind(here, "Alias")
        first = await version.create(ctx, {"FunctionName": name}, draft("V1"))
        assert first.attributes["Version"] == "1"
        assert first.physical_id == SCOPE.arn("lambda", f"function:{name}:1")
        assert await version.create(ctx, {"FunctionName": name}, draft("V1")) == first
        with pytest.raises(AwsError, match="A version for this Lambda function exists"):
            await version.create(ctx, {"FunctionName": name}, draft("V2", "another-token"))
        props = {"FunctionName": name, "FunctionVersion": "1", "Name": "live"}
        made = await alias.create(ctx, props, draft("A"))
        assert made.physical_id == SCOPE.arn("lambda", f"function:{name}:live")
        assert await alias.create(ctx, props, draft("A")) == made
        assert alias.update is not None
        changed = {**props, "Description": "d"}
        assert await alias.update(ctx, made.physical_id, props, changed, draft("A")) == made
        assert alias.read is not None
        live = await alias.read(ctx, made.physical_id, changed)
        assert live is not None
        assert live["Description"] == "d"
        await alias.delete(ctx, made.physical_id, changed)
        assert await alias.read(ctx, made.physical_id, changed) is None
        await version.delete(ctx, first.physical_id, {"FunctionName": name})

    inside(story)


def test_layers_and_their_permissions(inside: Any) -> None:
    async def story(here: Inside) -> None:
        ctx = here.context()
        await here.call(
            "s3", "PutObject", Bucket=here.bucket, Key="l.zip", Body=BytesBody(pack("x = 1\n"))
        )
        layer, permission = kind(here, "LayerVersion"), kind(here, "LayerVersionPermission")
        props = {"Content": {"S3Bucket": here.bucket, "S3Key": "l.zip"}}
        made = await layer.create(ctx, props, draft("L"))
        assert made.physical_id.endswith(":1")
        assert await layer.create(ctx, props, draft("L")) == made
        allowed = {
            "Action": "lambda:GetLayerVersion",
            "LayerVersionArn": made.physical_id,
            "Principal": "444455556666",
        }
        granted = await permission.create(ctx, allowed, draft("P"))
        assert await permission.create(ctx, allowed, draft("P")) == granted
        await permission.delete(ctx, granted.physical_id, allowed)
        await permission.delete(ctx, granted.physical_id, allowed)
        await layer.delete(ctx, made.physical_id, props)
        assert layer.read is not None
        assert await layer.read(ctx, made.physical_id, props) is None

    inside(story)


def test_permissions_urls_and_event_rules(inside: Any) -> None:
    async def story(here: Inside) -> None:
        name = await here.function(ECHO)
        ctx = here.context()
        permission, url = kind(here, "Permission"), kind(here, "Url")
        rules = kind(here, "EventInvokeConfig")
        allowed = {
            "Action": "lambda:InvokeFunction",
            "FunctionName": name,
            "Principal": "apigateway.amazonaws.com",
        }
        granted = await permission.create(ctx, allowed, draft("P"))
        assert await permission.create(ctx, allowed, draft("P")) == granted
        policy = await here.call("lambda", "GetPolicy", FunctionName=name)
        assert len(json.loads(policy["Policy"])["Statement"]) == 1
        await permission.delete(ctx, granted.physical_id, allowed)
        open_ = {"TargetFunctionArn": name, "AuthType": "NONE"}
        made = await url.create(ctx, open_, draft("U"))
        assert await url.create(ctx, open_, draft("U")) == made
        assert ".lambda-url.us-east-1." in made.attributes["FunctionUrl"]
        assert url.update is not None
        closed = {**open_, "AuthType": "AWS_IAM"}
        assert await url.update(ctx, made.physical_id, open_, closed, draft("U")) == made
        await url.delete(ctx, made.physical_id, closed)
        given = {"FunctionName": name, "Qualifier": "$LATEST", "MaximumRetryAttempts": 0}
        kept = await rules.create(ctx, given, draft("R"))
        assert rules.read is not None
        live = await rules.read(ctx, kept.physical_id, given)
        assert live is not None
        assert live["MaximumRetryAttempts"] == 0
        await rules.delete(ctx, kept.physical_id, given)
        assert await rules.read(ctx, kept.physical_id, given) is None

    inside(story)


def test_a_function_that_is_gone_takes_its_parts_along(inside: Any) -> None:
    async def story(here: Inside) -> None:
        name = await here.function(ECHO)
        ctx = here.context()
        permission = kind(here, "Permission")
        allowed = {"Action": "lambda:*", "FunctionName": name, "Principal": "444455556666"}
        granted = await permission.create(ctx, allowed, draft("P"))
        await here.call("lambda", "DeleteFunction", FunctionName=name)
        await permission.delete(ctx, granted.physical_id, allowed)

    inside(story)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_inline_node_code_may_require_the_response_module(inside: Any) -> None:
    async def story(here: Inside) -> None:
        text = "exports.handler = async () => require('cfn-response').SUCCESS;\n"
        props = inline(here, text, Runtime="nodejs22.x", MemorySize=256)
        made = await kind(here, "Function").create(here.context(), props, draft("Fn"))
        assert await result(here, made.physical_id) == "SUCCESS"

    inside(story)


def test_inline_code_is_for_python_and_node_only(inside: Any) -> None:
    async def story(here: Inside) -> None:
        props = inline(here, Runtime="provided.al2023")
        with pytest.raises(AwsError, match="ZipFile can only be used when Runtime is set"):
            await kind(here, "Function").create(here.context(), props, draft("Fn"))

    inside(story)
