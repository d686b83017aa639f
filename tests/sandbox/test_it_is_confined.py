"""What a function cannot see, touch, signal or change."""

import json
import os

import pytest

from cumulet.sandbox import Succeeded

ATTEMPT = """
import ctypes, errno, os, signal, socket, glob
libc = ctypes.CDLL(None, use_errno=True)
def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return "allowed"
def handler(event, context):
    try:
        return str(eval(event["do"]))
    except OSError as error:
        return errno.errorcode[error.errno]
"""

REFUSED = {
    "read /etc/shadow": "open('/etc/shadow').read()",
    "list /root": "os.listdir('/root/.ssh')",
    "write code": "open('/var/task/app.py', 'a')",
    "write a layer": "open('/opt/new', 'w')",
    "write a program": "open('/usr/bin/new', 'w')",
    "make a device": "os.mknod('/tmp/disk', 0o60600, os.makedev(8, 0))",
    "signal the first process": "os.kill(1, signal.SIGSTOP)",
    "trace the first process": "checked(libc.ptrace(16, 1, 0, 0))",
    "read the first process's memory": "open('/proc/1/mem', 'rb').read(1)",
    "read the first process's environment": "open('/proc/1/environ').read()",
    "mount": "checked(libc.mount(b'none', b'/tmp', b'tmpfs', 0, None))",
    "leave the root": "os.chroot('/tmp')",
    "new user namespace": "checked(libc.unshare(0x10000000))",
    "become root": "os.setuid(0)",
    "raw socket": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "packet socket": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "load a kernel module": "checked(libc.syscall(175, 0, 0, b''))",
    "kernel keys": "checked(libc.syscall(250, 0, -3, 0))",
    "io_uring": "checked(libc.syscall(425, 8, ctypes.create_string_buffer(120)))",
    "change the host name": "socket.sethostname('mine')",
    "change a kernel setting": "open('/proc/sys/kernel/hostname', 'w').write('x')",
    "raise its own limits": "__import__('resource').setrlimit(7, (1 << 19, 1 << 19))",
}  # fmt: skip


def test_what_is_refused(play):
    async def scenario(stage):
        spec = stage.python(ATTEMPT)
        answers = {}
        for what, attempt in REFUSED.items():
            outcome = await stage.invoke(spec, json.dumps({"do": attempt}).encode())
            if isinstance(outcome, Succeeded):
                answers[what] = json.loads(outcome.payload)
            else:
                answers[what] = outcome.error_type
        refusals = ("EPERM", "EACCES", "EROFS", "ENOENT", "ESRCH", "ValueError")
        assert {what: answer for what, answer in answers.items() if answer not in refusals} == {}

    play(scenario)


def test_it_sees_its_own_processes_only(play):
    async def scenario(stage):
        spec = stage.python(
            "import os\ndef handler(e, c): return sorted(filter(str.isdigit, os.listdir('/proc')))"
        )
        assert len(json.loads((await stage.invoke(spec)).payload)) == 2

    play(scenario)


def test_it_sees_neither_the_clouds_data_nor_another_functions_files(play):
    async def scenario(stage):
        (stage.folder / "data").mkdir()
        (stage.folder / "data" / "secret").write_text("secret")
        other = stage.python("open('/tmp/mine', 'w').write('x')\ndef handler(e, c): return 1")
        assert (await stage.invoke(other)).payload == b"1"
        spec = stage.python(
            "import os\ndef handler(event, context):\n"
            "    return [os.path.exists(path) for path in event] + os.listdir('/tmp')"
        )
        paths = [str(stage.folder / "data" / "secret"), str(other.code / "app.py"), "/tmp/mine",
                 str(stage.folder), "/.host/etc", "/sys/fs", "/home", "/var/log"]  # fmt: skip
        outcome = await stage.invoke(spec, json.dumps(paths).encode())
        assert json.loads(outcome.payload) == [False] * len(paths)

    play(scenario)


def test_its_variables_are_its_own(play, monkeypatch):
    monkeypatch.setenv("CLOUD_SECRET", "do-not-tell")

    async def scenario(stage):
        spec = stage.python(
            "import os, subprocess\ndef handler(event, context):\n"
            "    inner = subprocess.run(['env'], capture_output=True).stdout.decode()\n"
            "    return open('/proc/self/environ').read() + inner + str(dict(os.environ))",
            env={"MINE": "yes"},
        )
        text = json.loads((await stage.invoke(spec)).payload)
        assert "do-not-tell" not in text
        assert "MINE=yes" in text

    play(scenario)


def test_it_inherits_no_open_file_of_the_cloud(play):
    async def scenario(stage):
        spec = stage.python(
            "import os\ndef handler(event, context):\n"
            "    return [os.readlink(f'/proc/self/fd/{fd}').split(':')[0]\n"
            "            for fd in ('0', '1', '2', '3')] + sorted(os.listdir('/proc/self/fd'))[4:]"
        )
        found = json.loads((await stage.invoke(spec)).payload)
        assert found[:4] == ["/dev/null", "pipe", "pipe", "socket"]
        assert found[4:] == ["4"]  # The listing itself.

    play(scenario)


def test_without_network_it_reaches_nobody(play):
    async def scenario(stage):
        import socket

        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            source = (
                "import socket\ndef handler(event, context):\n"
                "    try: socket.create_connection(('127.0.0.1', event), 2).close()\n"
                "    except OSError as error: return type(error).__name__\n"
                "    return 'reached'\n"
            )
            on = stage.python(source)
            off = stage.python(source, network=False)
            assert (await stage.invoke(on, str(port).encode())).payload == b'"reached"'
            assert (await stage.invoke(off, str(port).encode())).payload != b'"reached"'

    play(scenario)


def test_ordinary_programs_work(play):
    """Threads, subprocesses, asyncio, shared memory and TLS are what real handlers use."""

    async def scenario(stage):
        spec = stage.python(
            "import asyncio, concurrent.futures, multiprocessing, ssl, subprocess, tempfile, uuid\n"
            "import urllib3, boto3, pwd, os\n"
            "def handler(event, context):\n"
            "    with concurrent.futures.ThreadPoolExecutor(4) as pool:\n"
            "        assert sum(pool.map(int, '1234')) == 10\n"
            "    assert subprocess.check_output(['sh', '-c', 'echo $((1+1))']) == b'2\\n'\n"
            "    async def both():\n"
            "        other = asyncio.to_thread(int, '2')\n"
            "        return await asyncio.gather(asyncio.sleep(0, 1), other)\n"
            "    assert asyncio.run(both()) == [1, 2]\n"
            "    ours, theirs = multiprocessing.Pipe()\n"
            "    process = multiprocessing.Process(target=theirs.send, args=('hi',))\n"
            "    process.start()\n"
            "    assert ours.recv() == 'hi'; process.join()\n"
            "    with tempfile.NamedTemporaryFile() as file: file.write(b'x')\n"
            "    assert ssl.create_default_context().get_ca_certs() is not None\n"
            "    assert pwd.getpwuid(os.getuid()).pw_name\n"
            "    return boto3.client('s3').meta.region_name\n",
            timeout_ms=20_000,
        )
        outcome = await stage.invoke(spec)
        assert outcome.payload == b'"eu-west-1"', outcome

    play(scenario)


def test_only_what_lambda_brings_can_be_imported(play):
    async def scenario(stage):
        spec = stage.python("def handler(event, context):\n    __import__(event)\n    return 1")
        for name in ("boto3", "botocore", "urllib3", "dateutil", "s3transfer", "jmespath", "six"):
            assert (await stage.invoke(spec, f'"{name}"'.encode())).payload == b"1"
        for name in ("cumulet", "msgspec", "uvloop", "yaml", "pytest", "pip"):
            assert (await stage.invoke(spec, f'"{name}"'.encode())).error_type == (
                "ModuleNotFoundError"
            )

    play(scenario)


@pytest.mark.skipif(os.geteuid() != 0, reason="own users need root")
def test_each_environment_has_its_own_user(play):
    async def scenario(stage):
        source = "import os\ndef handler(e, c): return [os.getuid(), os.geteuid(), os.getgroups()]"
        first = json.loads((await stage.invoke(stage.python(source))).payload)
        second = json.loads((await stage.invoke(stage.python(source))).payload)
        assert first[0] == first[1] > 100_000
        assert first[0] != second[0]
        assert first[2] == second[2] == []

    play(scenario)


@pytest.mark.parametrize("without", [(), ("filesystem", "processes")])
def test_boto3_knows_the_functions_settings_and_never_the_operators(
    play, monkeypatch, tmp_path, without
):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[default]\nregion = mars-1\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / ".aws" / "config"))

    async def scenario(stage):
        source = (
            "import boto3\ndef handler(event, context):\n"
            "    session = boto3.session.Session() if event else boto3\n"
            "    client = session.client('sqs')\n"
            "    return [client.meta.region_name, client._request_signer._credentials.access_key]\n"
        )
        spec = stage.python(source, timeout_ms=20_000)
        assert json.loads((await stage.invoke(spec, b"0")).payload) == ["eu-west-1", "ASIAEXAMPLE"]
        settings = {"AWS_CONFIG_FILE": "/var/task/config", "AWS_ACCESS_KEY_ID": "mine",
                    "AWS_SECRET_ACCESS_KEY": "secret"}  # fmt: skip
        spec = stage.python(source, env=settings, timeout_ms=20_000)
        settings["AWS_CONFIG_FILE"] = "/var/task/config" if not without else f"{spec.code}/config"
        (spec.code / "config").write_text("[default]\nregion = eu-north-1\n")
        assert json.loads((await stage.invoke(spec, b"0")).payload) == ["eu-north-1", "mine"]

    play(scenario, without=without)
