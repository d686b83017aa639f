"""`cumulet deploy` of CDK applications, told by assemblies that a small program writes.

A true one with the CDK's own library is deployed in tests/clients.
"""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Run

BUCKET = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"
ANYWHERE = "aws://unknown-account/unknown-region"
QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": {"Ref": "Hidden"}}}
PARAMETERS = {"Hidden": {"Type": "Number", "Default": 30}}
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "AssumeRolePolicyDocument": {
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ]
        }
    },
}


def function(key: str) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.12",
            "Handler": "code.handler",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Code": {"S3Bucket": {"Fn::Sub": BUCKET}, "S3Key": key},
        },
    }


def asset(path: str, key: str, packaging: str) -> dict[str, Any]:
    return {
        "source": {"path": path, "packaging": packaging},
        "destinations": {"here": {"bucketName": BUCKET, "objectKey": key}},
    }


class Assembly:
    """What a CDK application would write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.artifacts: dict[str, Any] = {}
        self.more: dict[str, Any] = {}
        folder.mkdir()
        (folder / "cdk.out").write_text('{"version":"55.0.0"}')

    def stack(
        self, name: str, *needs: str, environment: str = ANYWHERE, **resources: Any
    ) -> Assembly:
        code = f"{name}-{uuid.uuid4().hex}.zip"
        key = f"{name}-{uuid.uuid4().hex}.json"
        (self.folder / f"asset.{name}").mkdir()
        (self.folder / f"asset.{name}" / "code.py").write_text(
            f"def handler(event, context):\n    return {name!r}\n"
        )
        template = {
            "Parameters": PARAMETERS,
            "Resources": {"Queue": QUEUE, "Role": ROLE, "Function": function(code), **resources},
            "Outputs": {"Name": {"Value": {"Ref": "Function"}}},
        }
        (self.folder / f"{name}.template.json").write_text(json.dumps(template))
        files = {
            "code": asset(f"asset.{name}", code, "zip"),
            "template": asset(f"{name}.template.json", key, "file"),
        }
        (self.folder / f"{name}.assets.json").write_text(json.dumps({"files": files}))
        self.artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": environment,
            "properties": {
                "templateFile": f"{name}.template.json",
                "stackTemplateAssetObjectUrl": f"s3://{BUCKET}/{key}",
            },
            "dependencies": [f"{name}.assets", *needs],
        }
        self.artifacts[f"{name}.assets"] = {
            "type": "cdk:asset-manifest",
            "properties": {"file": f"{name}.assets.json"},
        }
        return self.write()

    def write(self) -> Assembly:
        content = {"version": "55.0.0", "artifacts": self.artifacts, **self.more}
        (self.folder / "manifest.json").write_text(json.dumps(content))
        return self


@pytest.fixture
def assembly(tmp_path: Path) -> Assembly:
    return Assembly(tmp_path / "assembled")


@pytest.fixture
def application(tmp_path: Path, assembly: Assembly) -> Path:
    """A CDK application whose program copies the assembly, as the library would write it."""
    folder = tmp_path / "application"
    folder.mkdir()
    (folder / "cdk.json").write_text(
        json.dumps({"app": f"{sys.executable} app.py", "context": {"colour": "blue"}})
    )
    (folder / "cdk.context.json").write_text('{"shade": "dark"}')
    (folder / "app.py").write_text(
        "import json, os, pathlib, shutil\n"
        "target = os.environ['CDK_OUTDIR']\n"
        f"shutil.copytree({str(assembly.folder)!r}, target, dirs_exist_ok=True)\n"
        "found = {'context': json.loads(os.environ['CDK_CONTEXT_JSON'])}\n"
        "found['account'] = os.environ['CDK_DEFAULT_ACCOUNT']\n"
        "found['region'] = os.environ['CDK_DEFAULT_REGION']\n"
        "pathlib.Path('seen.json').write_text(json.dumps(found))\n"
    )
    return folder


def named() -> str:
    return f"cdk-{uuid.uuid4().hex[:8]}"


def test_an_application_is_run_and_its_stack_deployed(
    cloud: Any, run: Run, assembly: Assembly, application: Path
) -> None:
    name = named()
    assembly.stack(name)
    done = run("deploy", application, "--json", "-p", "Hidden=45", "--data", cloud.data)
    assert done.code == 0, done.err
    assert done.json["StackName"] == name
    made = done.json["Outputs"]["Name"]
    answer = cloud.client("lambda").invoke(FunctionName=made)["Payload"].read()
    assert json.loads(answer) == name
    [stack] = cloud.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    assert [(one["ParameterKey"], one["ParameterValue"]) for one in stack["Parameters"]] == [
        ("Hidden", "45")
    ]
    assert json.loads((application / "seen.json").read_text()) == {
        "context": {"colour": "blue", "shade": "dark"},
        "account": "000000000000",
        "region": "us-east-1",
    }
    again = run("deploy", application, "-p", "Hidden=45", "--data", cloud.data)
    assert "is up to date" in again.err
    cloud.client("cloudformation").delete_stack(StackName=name)


def test_stacks_of_an_assembly_are_deployed_in_the_order_of_their_needs(
    cloud: Any, run: Run, assembly: Assembly
) -> None:
    first, second = named(), named()
    assembly.stack(second, first).stack(first)
    done = run("deploy", assembly.folder, "--data", cloud.data)
    assert done.code == 0, done.err
    ends = [done.err.index(f"{name}: CREATE_COMPLETE") for name in (first, second)]
    assert ends == sorted(ends)
    only = run("deploy", assembly.folder, "--stack-name", first, "--data", cloud.data)
    assert (first in only.err, second in only.err) == (True, False)
    for name in (first, second):
        cloud.client("cloudformation").delete_stack(StackName=name)


def test_a_stack_for_another_region_is_refused(cloud: Any, run: Run, assembly: Assembly) -> None:
    assembly.stack(named(), environment="aws://unknown-account/eu-west-1")
    done = run("deploy", assembly.folder, "--data", cloud.data)
    assert done.code == 1
    assert "is for aws://unknown-account/eu-west-1" in done.err
    assert "this is aws://000000000000/us-east-1" in done.err


def test_a_parameter_that_no_stack_has_is_refused(cloud: Any, run: Run, assembly: Assembly) -> None:
    assembly.stack(named())
    done = run("deploy", assembly.folder, "-p", "Colour=blue", "--data", cloud.data)
    assert (done.code, "no stack has a parameter Colour" in done.err) == (1, True)


def test_what_must_be_looked_up_is_named(cloud: Any, run: Run, assembly: Assembly) -> None:
    assembly.more = {"missing": [{"key": "availability-zones", "provider": "x", "props": {}}]}
    assembly.stack(named())
    done = run("deploy", assembly.folder, "--data", cloud.data)
    assert done.code == 1
    assert "asks for availability-zones" in done.err
    assert "cdk synth" in done.err


def test_a_program_that_fails_is_quoted(cloud: Any, run: Run, application: Path) -> None:
    (application / "app.py").write_text("import aws_cdk_of_nobody\n")
    done = run("deploy", application, "--data", cloud.data)
    assert done.code == 1
    assert "No module named 'aws_cdk_of_nobody'" in done.err
    assert "hint: the application needs the CDK's library" in done.err


def test_a_cloud_without_the_bucket_says_which_has_it(
    new_cloud: Any, run: Run, assembly: Assembly
) -> None:
    bare = new_cloud()
    assembly.stack(named())
    done = run("deploy", assembly.folder, "--data", bare.data)
    assert done.code == 1
    assert "there is no bucket cdk-hnb659fds-assets-000000000000-us-east-1" in done.err
    assert "without --bare" in done.err
