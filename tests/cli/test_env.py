"""`cumulet env`: exports that a shell evaluates, and AWS profiles beside those of others."""

from __future__ import annotations

import configparser
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Run

IDENTITY = "arn:aws:iam::000000000000:root"
AWS = shutil.which("aws")


def evaluate(cloud: Any, run: Run, script: str, surroundings: dict[str, str]) -> str:
    exports = run("env", "--data", cloud.data)
    assert exports.code == 0
    done = subprocess.run(
        ["bash", "-euc", f"{exports.out}\n{script}"],
        capture_output=True,
        text=True,
        env=surroundings,
        check=True,
    )
    return done.stdout


def test_a_shell_evaluates_the_exports(cloud: Any, run: Run, surroundings: dict[str, str]) -> None:
    script = 'echo "$AWS_ENDPOINT_URL $AWS_ACCESS_KEY_ID $AWS_SECRET_ACCESS_KEY $AWS_REGION"'
    said = evaluate(cloud, run, script, surroundings)
    assert said.split() == [cloud.endpoint, *cloud.root_key, "us-east-1"]


@pytest.mark.client("aws")
@pytest.mark.skipif(AWS is None, reason="the AWS CLI is not installed here")
def test_the_aws_cli_reaches_the_cloud_by_the_exports(
    cloud: Any, run: Run, surroundings: dict[str, str]
) -> None:
    script = f"{AWS} sts get-caller-identity --query Arn --output text"
    assert evaluate(cloud, run, script, surroundings).strip() == IDENTITY


@pytest.mark.client("aws")
@pytest.mark.skipif(AWS is None, reason="the AWS CLI is not installed here")
def test_the_aws_cli_reaches_the_cloud_by_the_profile(
    cloud: Any, run: Run, surroundings: dict[str, str]
) -> None:
    assert AWS is not None
    assert run("env", "--profile", "--data", cloud.data).code == 0
    words = [AWS, "--profile", "cumulet", "sts", "get-caller-identity", "--query", "Arn"]
    done = subprocess.run(words, capture_output=True, text=True, env=surroundings, check=True)
    assert done.stdout.strip() == f'"{IDENTITY}"'


def test_json_has_the_same_variables(cloud: Any, run: Run) -> None:
    told = run("env", "--json", "--data", cloud.data).json
    assert told == {
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_ACCESS_KEY_ID": cloud.root_key[0],
        "AWS_SECRET_ACCESS_KEY": cloud.root_key[1],
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
    }


def test_the_data_folder_may_come_from_the_environment(cloud: Any, run: Run) -> None:
    assert cloud.endpoint in run("env", CUMULET_DATA=str(cloud.data)).out


def test_a_profile_leaves_those_of_others_as_they_are(cloud: Any, run: Run, home: Path) -> None:
    folder = home / ".aws"
    folder.mkdir()
    (folder / "credentials").write_text("# mine\n[work]\naws_access_key_id = A\n")
    (folder / "config").write_text(
        "[default]\nregion = eu-west-1\n\n[profile work]\noutput = yaml\n"
    )
    done = run("env", "--profile", "local", "--data", cloud.data)
    assert done.code == 0
    assert done.out == ""
    assert (
        (folder / "credentials").read_text().startswith("# mine\n[work]\naws_access_key_id = A\n")
    )
    config = configparser.ConfigParser()
    config.read(folder / "config")
    assert dict(config["default"]) == {"region": "eu-west-1"}
    assert dict(config["profile work"]) == {"output": "yaml"}
    assert config["profile local"]["endpoint_url"] == cloud.endpoint
    keys = configparser.ConfigParser()
    keys.read(folder / "credentials")
    assert keys["local"]["aws_secret_access_key"] == cloud.root_key[1]
    assert stat.S_IMODE((folder / "credentials").stat().st_mode) == 0o600


def test_a_profile_that_is_written_again_is_there_once(cloud: Any, run: Run, home: Path) -> None:
    for _ in range(2):
        assert run("env", "--profile", "--data", cloud.data).code == 0
    for name, section in (("credentials", "[cumulet]"), ("config", "[profile cumulet]")):
        assert (home / ".aws" / name).read_text().count(section) == 1


def test_a_file_that_is_a_link_stays_one(cloud: Any, run: Run, home: Path) -> None:
    (home / ".aws").mkdir()
    (home / "elsewhere").write_text("[work]\n")
    (home / ".aws" / "credentials").symlink_to(home / "elsewhere")
    assert run("env", "--profile", "--data", cloud.data).code == 0
    assert (home / ".aws" / "credentials").is_symlink()
    assert "[work]\n\n[cumulet]" in (home / "elsewhere").read_text()
