"""The client programs: where they are, and a skip that says which is missing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.services.hosts.conftest import server

__all__ = ["server"]

ROOT = Path(__file__).parent.parent.parent
CLIENTS = ROOT / ".cache" / "clients"
APPLICATION = ROOT / "apps" / "first-microservice"
SECONDS_MAX = 300

PLACES = {
    "sam": CLIENTS / "python" / "bin" / "sam",
    "aws": CLIENTS / "python" / "bin" / "aws",
    "cdk": CLIENTS / "node" / "node_modules" / ".bin" / "cdk",
    "cdk library": CLIENTS / "cdk" / "bin" / "python",
    "pycognito": CLIENTS / "python" / "bin" / "python",
    "JavaScript SDK for Cognito": CLIENTS
    / "node"
    / "node_modules"
    / "@aws-sdk"
    / "client-cognito-identity-provider",
    "JavaScript SDK": CLIENTS / "node" / "node_modules" / "@aws-sdk" / "client-lambda",
}


@pytest.fixture(scope="session")
def program():
    """The path of a client program; skips, naming it, when it is not installed."""

    def find(name: str) -> str:
        place = PLACES.get(name)
        if place is not None and place.exists():
            return str(place)
        found = shutil.which(name)
        if found is None:
            pytest.skip(f"{name} is not installed here; `make clients` installs what can be had")
        return found

    return find


@pytest.fixture
def run(cloud, tmp_path):
    """Run a program against the cloud; fails with its output when it fails."""

    def start(*words, folder=None, check=True, **more):
        environment = {
            **cloud.environment(),
            "HOME": str(tmp_path / "home"),
            "SAM_CLI_TELEMETRY": "0",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "NO_COLOR": "1",
            **more,
        }
        (tmp_path / "home").mkdir(exist_ok=True)
        done = subprocess.run(
            [str(word) for word in words],
            cwd=folder or tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"{words}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
        return done

    return start


@pytest.fixture
def application(tmp_path):
    """A copy of the first microservice, so that nothing is built inside the checkout."""
    copy = tmp_path / "first-microservice"
    shutil.copytree(APPLICATION, copy, ignore=shutil.ignore_patterns(".cumulet", ".aws-sam"))
    return copy


@pytest.fixture
def drive(run, cloud, application):
    """Run the application's own test against a deployment of it, given its outputs."""

    def test(found, **more):
        named = {
            "URL": found["Url"],
            "FUNCTION": found["FunctionName"],
            "API_KEY_ID": found["ApiKeyId"],
            "DOORKEEPER": found["DoorkeeperName"],
        }
        run(sys.executable, application / "test_app.py", **named, **more)

    return test


def outputs_of(cloud, stack):
    """The outputs of a stack, with the address of its API as this cloud answers it."""
    from cumulet.cli.addresses import local_url

    [found] = cloud.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    values = {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])}
    return {key: local_url(value, cloud.endpoint) or value for key, value in values.items()}


@pytest.fixture
def outputs(cloud):
    return lambda stack: outputs_of(cloud, stack)
