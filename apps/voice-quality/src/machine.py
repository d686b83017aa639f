"""The engine's machine: found by its tag, reached over SSH."""

import functools
import io
import os
import shlex
from contextlib import contextmanager

import boto3
import paramiko

CONNECT_SECONDS = 8


class Unreachable(Exception):
    """The machine is not there, or does not let us in. The text begins with the caller's status."""

    def __init__(self, why):
        super().__init__(f"503: the engine's machine cannot be reached: {why}")


def find_address():
    """The public address of the moment; it changes when the machine was stopped."""
    found = boto3.client("ec2").describe_instances(
        Filters=[
            {"Name": "tag:role", "Values": [os.environ["ENGINE_TAG"]]},
            {"Name": "instance-state-name", "Values": ["running"]},
        ]
    )
    for reservation in found["Reservations"]:
        for instance in reservation["Instances"]:
            if instance.get("PublicIpAddress"):
                return instance["PublicIpAddress"]
    raise Unreachable("no machine with its tag is running")


@functools.cache
def private_key():
    answer = boto3.client("ssm").get_parameter(
        Name=os.environ["ENGINE_KEY_PARAMETER"], WithDecryption=True
    )
    return paramiko.Ed25519Key.from_private_key(io.StringIO(answer["Parameter"]["Value"]))


@contextmanager
def connect():
    """A connection to the machine, which must show the key that we know."""
    address, port = find_address(), int(os.environ["ENGINE_PORT"])
    client = paramiko.SSHClient()
    kind, content = os.environ["ENGINE_HOST_KEY"].split()[:2]
    known = paramiko.hostkeys.HostKeyEntry.from_line(f"engine {kind} {content}")
    name = address if port == 22 else f"[{address}]:{port}"
    client.get_host_keys().add(name, kind, known.key)
    try:
        client.connect(
            address,
            port=port,
            username=os.environ["ENGINE_USER"],
            pkey=private_key(),
            timeout=CONNECT_SECONDS,
            banner_timeout=CONNECT_SECONDS,
            auth_timeout=CONNECT_SECONDS,
            allow_agent=False,
            look_for_keys=False,
        )
    except (OSError, paramiko.SSHException) as problem:
        client.close()
        raise Unreachable(str(problem) or type(problem).__name__) from problem
    try:
        yield client
    except (OSError, EOFError, paramiko.SSHException) as problem:
        if isinstance(problem, FileNotFoundError):
            raise
        raise Unreachable(str(problem) or type(problem).__name__) from problem
    finally:
        client.close()


def folder_of(job):
    """Where a job's files lie on the machine."""
    return f"{os.environ['ENGINE_FOLDER']}/{job}"


def run(client, *words):
    """Run a command there; raises Unreachable when it fails."""
    line = " ".join(shlex.quote(word) for word in words)
    _, output, errors = client.exec_command(line, timeout=CONNECT_SECONDS)
    status = output.channel.recv_exit_status()
    if status != 0:
        said = errors.read(500).decode(errors="replace").strip()
        raise Unreachable(f"{words[0]} ended with {status}: {said}")
    return output.read().decode(errors="replace")
