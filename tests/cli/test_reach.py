"""Every command: its help, and what it says when there is no cloud."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Run

COMMANDS = [
    "up",
    "env",
    "deploy",
    "invoke",
    "logs",
    "ls",
    "mail",
    "import",
    "hosts",
    "costs",
    "console",
    "check",
    "doctor",
    "backup",
    "restore",
]
NEED_A_CLOUD = [("env",), ("invoke", "f"), ("logs", "f"), ("ls",), ("console",)]


IN_PARTS = {"hosts": "hosts list"}
"""Commands that have commands of their own, and one of these."""


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_what_it_does_and_how_it_is_used(run: Run, name: str) -> None:
    command = IN_PARTS.get(name, name)
    done = run(*command.split(), "--help")
    assert done.code == 0
    assert done.err == ""
    assert done.out.startswith(f"Usage: python -m cumulet {command} [OPTIONS]")
    assert "--data DIRECTORY" in done.out
    assert "--json" in done.out


def test_the_program_lists_its_commands_and_tells_its_version(run: Run) -> None:
    done = run("--help")
    assert done.code == 0
    listed = [line.split()[0] for line in done.out.split("Commands:")[1].strip().splitlines()]
    assert listed == COMMANDS
    assert run("--version").out.startswith("cumulet, version ")


def test_a_command_that_is_not_one_is_a_mistake_of_usage(run: Run) -> None:
    done = run("launch")
    assert done.code == 2
    assert "No such command 'launch'" in done.err


@pytest.mark.parametrize("words", NEED_A_CLOUD, ids=lambda words: words[0])
def test_no_cloud_has_an_exit_code_and_a_hint(
    run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = run(*words, "--data", tmp_path / "nothing")
    assert done.code == 3
    assert done.out == ""
    assert f"error: no cloud is running on {tmp_path / 'nothing'}" in done.err
    assert "hint: start one with `cumulet up`" in done.err


@pytest.mark.parametrize("words", NEED_A_CLOUD, ids=lambda words: words[0])
def test_a_cloud_that_was_killed_is_not_taken_for_a_running_one(
    run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
    left = {"endpoint": endpoint, "region": "us-east-1", "pid": 1, "authority": ""}
    (tmp_path / "run.json").write_text(json.dumps(left))
    done = run(*words, "--data", tmp_path)
    assert done.code == 3
    assert f"was at {endpoint} and does not answer there" in done.err
    assert "hint: start it again with" in done.err


def test_an_endpoint_that_does_not_answer_is_said_in_one_sentence(run: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
    keys = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "B"}
    done = run("ls", "buckets", "--endpoint", endpoint, "--data", tmp_path, **keys)
    assert done.code == 3
    assert endpoint in done.err
    assert "Traceback" not in done.err


def test_the_environment_names_a_cloud_that_has_no_folder_here(
    cloud: Any, run: Run, tmp_path: Path
) -> None:
    names = {k: v for k, v in cloud.environment().items() if k.startswith("AWS_")}
    done = run("ls", "roles", "--json", "--data", tmp_path, **names)
    assert done.code == 0
    assert "roles" in done.json


def test_a_false_key_is_refused_in_awss_words(cloud: Any, run: Run, tmp_path: Path) -> None:
    keys = {"AWS_ACCESS_KEY_ID": cloud.root_key[0], "AWS_SECRET_ACCESS_KEY": "wrong"}
    done = run("ls", "roles", "--endpoint", cloud.endpoint, "--data", tmp_path, **keys)
    assert done.code == 1
    assert "SignatureDoesNotMatch" in done.err
    assert "Traceback" not in done.err
