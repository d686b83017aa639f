"""Hosts: registered by their owner, seen by EC2's face, reached by Run Command."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Cloud
from tests.services.hosts.conftest import Server


@pytest.fixture
def ec2(cloud: Cloud) -> Any:
    return cloud.client("ec2")


@pytest.fixture
def ssm(cloud: Cloud) -> Any:
    return cloud.client("ssm")


@pytest.fixture
def name() -> str:
    return f"engine-{uuid.uuid4().hex[:8]}"


def found(ec2: Any, **words: Any) -> list[dict[str, Any]]:
    answer = ec2.describe_instances(**words)
    return [one for group in answer["Reservations"] for one in group["Instances"]]


def by_name(ec2: Any, name: str) -> dict[str, Any]:
    [one] = found(ec2, Filters=[{"Name": "tag:Name", "Values": [name]}])
    return one


def refusal(call: Any, **words: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**words)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def ended(ssm: Any, command: str, instance: str) -> dict[str, Any]:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        run: dict[str, Any] = ssm.get_command_invocation(CommandId=command, InstanceId=instance)
        if run["Status"] not in ("Pending", "InProgress"):
            return run
    raise AssertionError("the command did not end")


def test_a_host_is_found_by_its_tags(ec2: Any, hosts: Any, server: Server, name: str) -> None:
    added = hosts(
        "add", name, "--ssh", server.place, "--port", server.port, "--tag", "role=engine", "--json"
    )
    made = json.loads(added.stdout)
    assert made["state"] == "running"
    host = by_name(ec2, name)
    assert host["InstanceId"] == made["id"]
    assert host["PublicIpAddress"] == "127.0.0.1"
    assert host["State"] == {"Code": 16, "Name": "running"}
    assert {"Key": "role", "Value": "engine"} in host["Tags"]
    wanted = [
        {"Name": "tag:role", "Values": ["eng*"]},
        {"Name": "instance-state-name", "Values": ["running"]},
        {"Name": "instance-id", "Values": [made["id"]]},
    ]
    assert len(found(ec2, Filters=wanted)) == 1
    wanted[1]["Values"] = ["stopped"]
    assert found(ec2, Filters=wanted) == []
    assert name in hosts("list").stdout
    hosts("remove", name)
    assert found(ec2, Filters=wanted[:1]) == []


def test_what_a_host_is_like_is_looked_at(
    ec2: Any, hosts: Any, server: Server, name: str, tmp_path: Path
) -> None:
    """The address comes from a command; the state from whether the machine answers."""
    (tmp_path / "address").write_text("127.0.0.1\n")
    command = f"cat {tmp_path}/address"
    hosts("add", name, "--ssh", "user@", "--port", server.port, "--address-command", command)
    assert by_name(ec2, name)["PublicIpAddress"] == "127.0.0.1"
    server.stop()
    until = time.monotonic() + 20
    while by_name(ec2, name)["State"]["Name"] != "stopped":
        assert time.monotonic() < until
    status = ec2.describe_instance_status(
        InstanceIds=[by_name(ec2, name)["InstanceId"]], IncludeAllInstances=True
    )["InstanceStatuses"]
    assert status[0]["InstanceState"]["Name"] == "stopped"
    hosts("remove", name)


def test_start_and_stop_are_the_owner_s_commands(
    ec2: Any, hosts: Any, server: Server, name: str, tmp_path: Path
) -> None:
    mark = tmp_path / "stopped"
    hosts(
        "add", name, "--ssh", server.place, "--port", server.port, "--stop", f"touch {mark}"
    )  # fmt: skip
    host = by_name(ec2, name)["InstanceId"]
    [change] = ec2.stop_instances(InstanceIds=[host])["StoppingInstances"]
    assert change["PreviousState"]["Name"] == "running"
    assert change["CurrentState"]["Name"] == "stopping"
    assert mark.exists()
    code, words = refusal(ec2.start_instances, InstanceIds=[host])
    assert code == "UnsupportedOperation"
    assert "without a command to start it" in words
    hosts("remove", name)


def test_no_machine_is_made_or_ended(ec2: Any) -> None:
    code, words = refusal(ec2.run_instances, ImageId="ami-12345678", MinCount=1, MaxCount=1)
    assert code == "UnsupportedOperation"
    assert "makes no machines" in words
    code, _ = refusal(ec2.terminate_instances, InstanceIds=["i-0123456789abcdef0"])
    assert code == "UnsupportedOperation"
    code, words = refusal(ec2.describe_instances, InstanceIds=["i-0123456789abcdef0"])
    assert code == "InvalidInstanceID.NotFound"
    assert words == "The instance ID 'i-0123456789abcdef0' does not exist"
    assert refusal(ec2.describe_instances, InstanceIds=["x"])[0] == "InvalidInstanceID.Malformed"
    code, words = refusal(ec2.describe_instances, Filters=[{"Name": "colour", "Values": ["red"]}])
    assert (code, words) == ("InvalidParameterValue", "The filter 'colour' is invalid")
    code, _ = refusal(ec2.describe_instances, DryRun=True)
    assert code == "DryRunOperation"


def test_tags_are_added_and_removed(ec2: Any, hosts: Any, server: Server, name: str) -> None:
    hosts("add", name, "--ssh", server.place, "--port", server.port)
    host = by_name(ec2, name)["InstanceId"]
    ec2.create_tags(Resources=[host], Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    ec2.delete_tags(Resources=[host], Tags=[{"Key": "a"}, {"Key": "b", "Value": "other"}])
    rows = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [host]}])["Tags"]
    assert {(row["Key"], row["Value"]) for row in rows} == {("Name", name), ("b", "2")}
    hosts("remove", name)


def test_a_script_runs_on_the_host(
    cloud: Cloud, ssm: Any, ec2: Any, hosts: Any, server: Server, name: str, tmp_path: Path
) -> None:
    hosts(
        "add", name, "--ssh", server.place, "--port", server.port, "--key-file", server.key_file,
        "--tag", f"fleet={name}",
    )  # fmt: skip
    host = by_name(ec2, name)["InstanceId"]
    sent = ssm.send_command(
        Targets=[{"Key": "tag:fleet", "Values": [name]}],
        DocumentName="AWS-RunShellScript",
        Comment="a greeting",
        Parameters={
            "commands": ["echo hello from $(pwd)", "echo trouble >&2", "exit 3"],
            "workingDirectory": [str(tmp_path)],
        },
    )["Command"]
    assert sent["InstanceIds"] == [host]
    run = ended(ssm, sent["CommandId"], host)
    assert (run["Status"], run["ResponseCode"]) == ("Failed", 3)
    assert run["StandardOutputContent"] == f"hello from {tmp_path}\n"
    assert run["StandardErrorContent"] == "trouble\n"
    [listed] = ssm.list_commands(CommandId=sent["CommandId"])["Commands"]
    assert (listed["Status"], listed["ErrorCount"]) == ("Failed", 1)
    [row] = ssm.list_command_invocations(CommandId=sent["CommandId"])["CommandInvocations"]
    assert row["CommandPlugins"][0]["Output"].startswith("hello")
    [node] = ssm.describe_instance_information(Filters=[{"Key": "InstanceIds", "Values": [host]}])[
        "InstanceInformationList"
    ]
    assert node["PingStatus"] == "Online"
    hosts("remove", name)


def test_a_script_that_takes_too_long_is_ended(
    ssm: Any, ec2: Any, hosts: Any, server: Server, name: str
) -> None:
    hosts("add", name, "--ssh", server.place, "--port", server.port, "--key-file", server.key_file)
    host = by_name(ec2, name)["InstanceId"]

    def send(seconds: str) -> str:
        sent = ssm.send_command(
            InstanceIds=[host],
            DocumentName="AWS-RunShellScript",
            Parameters={"commands": ["exec sleep 60"], "executionTimeout": [seconds]},
        )
        command: str = sent["Command"]["CommandId"]
        return command

    assert ended(ssm, send("1"), host)["Status"] == "TimedOut"
    command = send("60")
    ssm.cancel_command(CommandId=command)
    assert ended(ssm, command, host)["Status"] == "Cancelled"
    hosts("remove", name)


def test_a_host_with_another_key_is_not_spoken_to(
    ssm: Any, ec2: Any, hosts: Any, server: Server, name: str
) -> None:
    other = (server.folder / "client.pub").read_text().split()
    hosts(
        "add", name, "--ssh", server.place, "--port", server.port, "--key-file", server.key_file,
        "--host-key", f"{other[0]} {other[1]}",
    )  # fmt: skip
    host = by_name(ec2, name)["InstanceId"]
    sent = ssm.send_command(
        InstanceIds=[host],
        DocumentName="AWS-RunShellScript",
        Parameters={"commands": ["true"]},
    )
    run = ended(ssm, sent["Command"]["CommandId"], host)
    assert run["Status"] == "Undeliverable"
    assert "verification failed" in run["StandardErrorContent"]
    hosts("remove", name)


def test_commands_that_cannot_be_are_refused(ssm: Any) -> None:
    send = ssm.send_command
    script = {"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["true"]}}
    assert refusal(send, InstanceIds=["i-0123456789abcdef0"], **script)[0] == "InvalidInstanceId"
    code, _ = refusal(send, InstanceIds=["i-0123456789abcdef0"], DocumentName="My-Document")
    assert code == "InvalidDocument"
    code, _ = refusal(send, InstanceIds=["i-0123456789abcdef0"], DocumentName="AWS-RunShellScript")
    assert code == "InvalidParameters"
    code, _ = refusal(send, InstanceIds=["i-0123456789abcdef0"], OutputS3BucketName="abc", **script)
    assert code == "ValidationException"
    code, _ = refusal(
        ssm.get_command_invocation,
        CommandId="11111111-2222-3333-4444-555555555555",
        InstanceId="i-0123456789abcdef0",
    )
    assert code == "InvalidCommandId"
    code, _ = refusal(ssm.list_commands, Filters=[{"key": "Status", "value": "Success"}])
    assert code == "InvalidFilterKey"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("bad name", "--ssh", "user@127.0.0.1"), "is no name"),
        (("fine", "--ssh", "127.0.0.1"), "must be USER@ADDRESS"),
        (("fine", "--ssh", "-oProxyCommand=x@127.0.0.1"), "is no user"),
        (("fine", "--ssh", "user@-oProxyCommand=x"), "is no name or address"),
        (("fine", "--ssh", "user@127.0.0.1", "--tag", "x"), "is not KEY=VALUE"),
        (("fine", "--ssh", "user@127.0.0.1", "--port", "0"), "the port must be"),
    ],
)
def test_hosts_that_cannot_be_are_refused(hosts: Any, words: tuple[str, ...], said: str) -> None:
    done = hosts("add", *words, check=False)
    assert done.returncode != 0
    assert said in done.stderr


def test_only_the_root_may_register_hosts(cloud: Cloud) -> None:
    from cumulet.cli.reach import Reach, signed_post

    iam = cloud.client("iam")
    user = f"u-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=user)
    iam.attach_user_policy(UserName=user, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    key = iam.create_access_key(UserName=user)["AccessKey"]
    reach = Reach(cloud.endpoint, key["AccessKeyId"], key["SecretAccessKey"], "us-east-1")
    status, content = signed_post(reach, "/_cumulet/hosts", b'{"region": "us-east-1"}')
    assert status == 403
    assert b"root" in content
