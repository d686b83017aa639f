"""The real CDK CLI deploys the streaming chat, and the application's own test drives it."""

import sys

import pytest
from tests.clients.conftest import outputs_of
from tests.conftest import Cloud
from tests.journeys.chat.deployed import APPLICATION, SCRIPTED, assembled, values_of
from tests.journeys.chat.scripted import ScriptedServer

QUOTA = 6


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chat")
    server = ScriptedServer().start()
    (folder / "models.toml").write_text(SCRIPTED.format(url=server.url))
    running = Cloud(folder / "data", "--models", str(folder / "models.toml")).start()
    yield running
    running.stop()
    server.stop()


def test_the_streaming_chat_is_deployed_by_the_cdk_and_does_what_it_says(
    run, program, cloud, tmp_path
):
    cdk, found = program("cdk"), assembled()
    words = [cdk, "deploy", "--require-approval", "never", "--app", found]
    for name, value in {"MonthlyQuota": QUOTA, "LeaseSeconds": 5, "RequestsPerSecond": 500}.items():
        words += ["--parameters", f"{name}={value}"]
    common = {"AWS_ACCOUNT_ID": "000000000000"}
    run(*words, **common)
    values = values_of(outputs_of(cloud, "streaming-chat"), cloud)
    run(sys.executable, APPLICATION / "test_app.py", **values, QUOTA=str(QUOTA), ECHO="1")
    run(cdk, "destroy", "--force", "--app", found, **common)
    assert not cloud.client("s3").list_buckets(Prefix="streaming-chat")["Buckets"]
