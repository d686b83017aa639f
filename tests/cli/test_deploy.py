"""`cumulet deploy`: what it refuses before it builds, and how a failed stack is told."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from tests.cli.conftest import Run


def write(folder: Path, *properties: str, kind: str = "AWS::S3::Bucket") -> Path:
    folder.mkdir(exist_ok=True)
    lines = ["Resources:", "  Thing:", f"    Type: {kind}"]
    if properties:
        lines += ["    Properties:", *(f"      {line}" for line in properties)]
    lines += ["Outputs:", "  Name:", "    Value: !Ref Thing"]
    (folder / "template.yaml").write_text("\n".join(lines) + "\n")
    return folder


def test_a_plain_template_is_deployed_and_found_unchanged(
    cloud: Any, run: Run, tmp_path: Path
) -> None:
    name = f"cli-{uuid.uuid4().hex[:8]}"
    folder = write(tmp_path / "app")
    done = run("deploy", folder, "--stack-name", name, "--json", "--data", cloud.data)
    assert done.code == 0, done.err
    assert done.json["StackName"] == name
    bucket = done.json["Outputs"]["Name"]
    assert bucket in {row["Name"] for row in cloud.client("s3").list_buckets()["Buckets"]}
    again = run("deploy", folder, "--stack-name", name, "--data", cloud.data)
    assert again.code == 0, again.err
    assert "is up to date" in again.err
    assert again.lines[1].split() == ["Name", bucket]
    cloud.client("cloudformation").delete_stack(StackName=name)


def test_a_stack_that_fails_tells_why(cloud: Any, run: Run, tmp_path: Path) -> None:
    name = f"cli-{uuid.uuid4().hex[:8]}"
    folder = write(tmp_path / "app", "BucketName: Not-A-Name")
    done = run("deploy", folder, "--stack-name", name, "--data", cloud.data)
    assert done.code == 1
    assert "Thing (AWS::S3::Bucket)" in done.err
    assert "CREATE_FAILED" in done.err
    assert "Traceback" not in done.err
    cloud.client("cloudformation").delete_stack(StackName=name)


def test_an_unknown_type_fails_and_is_named(cloud: Any, run: Run, tmp_path: Path) -> None:
    name = f"cli-{uuid.uuid4().hex[:8]}"
    folder = write(tmp_path / "app", kind="AWS::Planets::Planet")
    done = run("deploy", folder, "--stack-name", name, "--data", cloud.data)
    assert done.code == 1
    assert "AWS::Planets::Planet" in done.err


def test_a_folder_without_a_template_is_said(cloud: Any, run: Run, tmp_path: Path) -> None:
    done = run("deploy", tmp_path, "--data", cloud.data)
    assert done.code == 1
    assert f"no template in {tmp_path}" in done.err
    assert "hint: looked for template.yaml" in done.err


def test_a_template_that_cannot_be_read_is_said(cloud: Any, run: Run, tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text("Resources: [\n")
    done = run("deploy", tmp_path, "--data", cloud.data)
    assert done.code == 1
    assert "template.yaml" in done.err
    assert "Traceback" not in done.err


def test_code_that_is_not_there_is_named(cloud: Any, run: Run, tmp_path: Path) -> None:
    folder = write(tmp_path / "app", "Code: src/", kind="AWS::Lambda::Function")
    done = run("deploy", folder, "--data", cloud.data)
    assert done.code == 1
    assert "Thing: src/ is not there" in done.err


def test_a_parameter_that_is_none_is_a_mistake_of_usage(
    cloud: Any, run: Run, tmp_path: Path
) -> None:
    done = run("deploy", write(tmp_path / "app"), "-p", "Size", "--data", cloud.data)
    assert done.code == 2
    assert "'Size' is not a parameter" in done.err
