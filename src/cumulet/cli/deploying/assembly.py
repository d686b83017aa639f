"""Cloud assemblies: what a CDK application writes when it is run, and how it gets to the cloud.

The layout is that of https://github.com/aws/aws-cdk-cli (`cloud-assembly-schema`): a manifest
names stacks with their templates, and lists of files (assets) with the bucket and key of each.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from cumulet.cli.deploying.package import write_archive
from cumulet.cli.reach import Reach
from cumulet.cli.say import Progress, fail

_SYNTHESIS_SECONDS_MAX = 900
_STACK = "aws:cloudformation:stack"
_ASSETS = "cdk:asset-manifest"
_NESTED = "cdk:cloud-assembly"
_ANYWHERE = ("unknown-account", "unknown-region")


@dataclass(frozen=True, slots=True)
class AssembledStack:
    """One stack of an assembly. `place` is where the template's own file is to be uploaded."""

    name: str
    template: Path
    place: str
    environment: str
    assets: tuple[Path, ...]

    def parameters(self) -> set[str]:
        """The names of the parameters that the template takes."""
        return set(json.loads(self.template.read_text()).get("Parameters", {}))


def is_cdk(folder: Path) -> bool:
    """Whether the folder is a CDK application, or an assembly that one wrote."""
    return (folder / "cdk.json").is_file() or is_assembly(folder)


def is_assembly(folder: Path) -> bool:
    """Whether the folder is what a CDK application writes."""
    return (folder / "manifest.json").is_file() and (folder / "cdk.out").is_file()


def synthesize(folder: Path, variables: dict[str, str], progress: Progress) -> Path:
    """Run the application as its `cdk.json` says; returns the folder of its assembly."""
    settings = _read(folder / "cdk.json")
    words = settings.get("app")
    if not isinstance(words, str) or not words:
        fail(f"{folder / 'cdk.json'} does not say how to run the application: `app`")
    if is_assembly(folder / words):
        return folder / words
    context = {**settings.get("context", {})}
    if (folder / "cdk.context.json").is_file():
        context |= _read(folder / "cdk.context.json")
    target = folder.resolve() / ".cumulet" / "cdk.out"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    progress.step(f"running {words}")
    environment = {
        **os.environ,
        **variables,
        "CDK_OUTDIR": str(target),
        "CDK_CONTEXT_JSON": json.dumps(context),
    }
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", words], cwd=folder, env=environment, capture_output=True, text=True,
            timeout=_SYNTHESIS_SECONDS_MAX, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        fail(f"`{words}` did not end within {_SYNTHESIS_SECONDS_MAX} seconds")
    if done.returncode != 0 or not is_assembly(target):
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        fail(
            f"`{words}` in {folder} wrote no cloud assembly\n{tail}",
            "the application needs the CDK's library (and node): install what it requires, "
            "or run this where that is installed",
        )
    return target


def read_assembly(folder: Path) -> list[AssembledStack]:
    """The stacks, each after those that it depends on; ends the command at what cannot be done."""
    manifest = _read(folder / "manifest.json")
    if missing := manifest.get("missing"):
        fail(
            f"the application asks for {missing[0].get('key', 'context')}, which must be looked up",
            'eval "$(cumulet env)" and run `cdk synth` once: it writes cdk.context.json',
        )
    artifacts: dict[str, Any] = manifest.get("artifacts", {})
    if any(one["type"] == _NESTED for one in artifacts.values()):
        fail("the application has stages", 'eval "$(cumulet env)" and use `cdk deploy`')
    ordered: list[str] = []

    def visit(name: str) -> None:
        if name not in ordered and name in artifacts:
            for before in artifacts[name].get("dependencies", []):
                visit(before)
            ordered.append(name)

    for name in artifacts:
        visit(name)
    return [_stack(folder, artifacts, name) for name in ordered if _is(artifacts, name, _STACK)]


def _is(artifacts: dict[str, Any], name: str, kind: str) -> bool:
    return bool(name in artifacts and artifacts[name]["type"] == kind)


def _stack(folder: Path, artifacts: dict[str, Any], name: str) -> AssembledStack:
    properties = artifacts[name]["properties"]
    needed = artifacts[name].get("dependencies", [])
    return AssembledStack(
        name=properties.get("stackName", name),
        template=folder / properties["templateFile"],
        place=properties.get("stackTemplateAssetObjectUrl", ""),
        environment=artifacts[name].get("environment", ""),
        assets=tuple(
            folder / artifacts[one]["properties"]["file"]
            for one in needed
            if _is(artifacts, one, _ASSETS)
        ),
    )


class Publisher:
    """Uploads what an assembly's stacks need, once per content, where their templates look."""

    def __init__(self, reach: Reach, progress: Progress) -> None:
        self._reach = reach
        self._progress = progress
        self._client = reach.client("s3")
        self._account = reach.client("sts").get_caller_identity()["Account"]

    def environment(self) -> dict[str, str]:
        """Where an application that asks finds itself, as the CDK's own CLI tells it."""
        return {"CDK_DEFAULT_ACCOUNT": self._account, "CDK_DEFAULT_REGION": self._reach.region}

    def check(self, stack: AssembledStack) -> None:
        """End the command when the stack is made for another account or region."""
        account, _, region = stack.environment.removeprefix("aws://").partition("/")
        if account not in (*_ANYWHERE, self._account) or region not in (
            *_ANYWHERE,
            self._reach.region,
        ):
            fail(
                f"{stack.name} is for {stack.environment}",
                f"this is aws://{self._account}/{self._reach.region}; AWS_REGION names another",
            )

    def publish(self, stack: AssembledStack) -> str:
        """Upload the stack's files; returns the URL of its template."""
        for manifest in stack.assets:
            content = _read(manifest)
            if content.get("dockerImages"):
                fail(f"{stack.name} needs container images, which are not here")
            for asset in content.get("files", {}).values():
                self._publish(manifest.parent, asset)
        if not stack.place.startswith("s3://"):
            fail(f"{stack.name} does not say where its template is to be", "use `cdk deploy`")
        return f"{self._reach.endpoint}/{self._here(stack.place).removeprefix('s3://')}"

    def _publish(self, folder: Path, asset: dict[str, Any]) -> None:
        source = asset["source"]
        if "path" not in source:
            fail(f"an asset is made by {source.get('executable')}", "use `cdk deploy` for it")
        path = folder / source["path"]
        for place in asset["destinations"].values():
            bucket, key = self._here(place["bucketName"]), self._here(place["objectKey"])
            try:
                self._client.head_object(Bucket=bucket, Key=key)
                continue
            except ClientError as error:
                self._check_bucket(bucket, error)
            with tempfile.TemporaryFile() as file:
                if source.get("packaging") == "zip":
                    write_archive(path, file)
                else:
                    file.write(path.read_bytes())
                size = file.tell()
                file.seek(0)
                name = asset.get("displayName", source["path"])
                self._progress.step(f"uploading {name} ({size / 1e6:.1f} MB)")
                self._client.upload_fileobj(file, bucket, key)

    def _check_bucket(self, bucket: str, error: ClientError) -> None:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            fail(f"{bucket}: {error}")
        try:
            self._client.head_bucket(Bucket=bucket)
        except ClientError:
            fail(
                f"there is no bucket {bucket}, where CDK applications look for their files",
                "a cloud that was started without --bare has it",
            )

    def _here(self, text: str) -> str:
        return (
            text.replace("${AWS::AccountId}", self._account)
            .replace("${AWS::Region}", self._reach.region)
            .replace("${AWS::Partition}", "aws")
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as cause:
        fail(f"{path} cannot be read: {cause}")
    if not isinstance(found, dict):
        fail(f"{path} is not a JSON object")
    return found
