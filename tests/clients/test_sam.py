"""The real SAM CLI: build, deploy, deploy again, remote invoke, delete."""

import json
import os
import sys
from pathlib import Path

FLAGS = ("--stack-name", "by-sam", "--region", "us-east-1")


def test_sam_build_deploy_invoke_and_delete(run, program, application, drive, outputs):
    sam = program("sam")
    # `sam build` needs the very interpreter that the template names: this one's.
    template = application / "template.yaml"
    here = f"python3.{sys.version_info.minor}"
    template.write_text(template.read_text().replace("python3.12", here))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    run(sam, "build", folder=application, PATH=path)
    assert (application / ".aws-sam" / "build" / "Calculator" / "calculator.py").exists()
    config = application / "samconfig.toml"
    config.unlink()
    deploy = (sam, "deploy", "--resolve-s3", "--no-confirm-changeset", "--capabilities",
              "CAPABILITY_IAM", *FLAGS)  # fmt: skip
    run(*deploy, folder=application)
    found = outputs("by-sam")
    drive(found)
    again = run(*deploy, "--no-fail-on-empty-changeset", folder=application)
    assert "No changes to deploy" in again.stdout + again.stderr
    event = '{"Number1": 10, "Number2": 20}'
    invoked = run(
        sam, "remote", "invoke", "Calculator", "--event", event, *FLAGS, folder=application
    )
    assert json.loads(invoked.stdout.strip().splitlines()[-1])["sum"] == 30
    run(sam, "delete", "--no-prompts", *FLAGS, folder=application)
