"""The notebooks, deployed by `cumulet deploy` and by the SAM CLI, and driven by their own test."""

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest


def test_cumulet_deploys_it_twice_and_it_goes_without_a_rest(run, cloud, notebooks, named):
    words = (sys.executable, "-m", "cumulet", "deploy", notebooks, "--data", cloud.data)
    words += ("--stack-name", "notebooks-deployed", "--json")
    run(*words)
    told = named("notebooks-deployed")
    run(sys.executable, notebooks / "test_app.py", **told)
    assert "up to date" in run(*words).stderr
    page = notebooks / "src" / "setup" / "page" / "index.html"
    page.write_text(page.read_text().replace("<h1>Notebooks</h1>", "<h1>Our notebooks</h1>"))
    run(*words)
    assert b"<h1>Our notebooks</h1>" in page_of(told)
    cloudformation = cloud.client("cloudformation")
    cloudformation.delete_stack(StackName="notebooks-deployed")
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName="notebooks-deployed", WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    bucket = told["PAGE"].removeprefix("http://").partition(".")[0]
    assert bucket not in [b["Name"] for b in cloud.client("s3").list_buckets()["Buckets"]]
    assert told["TABLE"] not in cloud.client("dynamodb").list_tables()["TableNames"]


def page_of(told):
    host = told["PAGE"].removeprefix("http://").rstrip("/")
    request = urllib.request.Request(told["SITE"], headers={"Host": host})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def test_visitors_from_elsewhere_are_refused_in_words_that_the_page_can_read(
    run, cloud, notebooks, named
):
    words = (sys.executable, "-m", "cumulet", "deploy", notebooks, "--data", cloud.data)
    words += ("--stack-name", "notebooks-elsewhere", "--parameter", "Visitors=192.0.2.0/24")
    run(*words)
    told = named("notebooks-elsewhere")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{told['API']}/notebooks", timeout=60)
    with refused.value as answer:
        assert answer.code == 403
        assert answer.headers["Access-Control-Allow-Origin"] == told["PAGE"]
        assert "not authorized" in json.loads(answer.read())["message"]
    cloud.client("cloudformation").delete_stack(StackName="notebooks-elsewhere")


def test_the_sam_cli_builds_and_deploys_it(run, program, notebooks, named):
    sam = program("sam")
    # `sam build` needs the very interpreter that the template names: this one's.
    template = notebooks / "template.yaml"
    here = f"python3.{sys.version_info.minor}"
    template.write_text(template.read_text().replace("python3.12", here))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    run(sam, "build", folder=notebooks, PATH=path)
    flags = ("--stack-name", "notebooks-by-sam", "--region", "us-east-1")
    run(sam, "deploy", "--no-confirm-changeset", *flags, folder=notebooks)
    run(sys.executable, notebooks / "test_app.py", **named("notebooks-by-sam"))
    run(sam, "delete", "--no-prompts", *flags, folder=notebooks)
