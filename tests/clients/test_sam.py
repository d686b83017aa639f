"""The real SAM CLI: build, deploy, deploy again, remote invoke, delete."""

import json

FLAGS = ("--stack-name", "by-sam", "--region", "us-east-1")


def test_sam_build_deploy_invoke_and_delete(run, program, application, drive, outputs):
    sam = program("sam")
    # The function's runtime may not be this machine's Python: the application has no dependencies.
    run(sam, "build", "--skip-pull-image", "--use-container", folder=application, check=False)
    config = application / "samconfig.toml"
    config.unlink()
    deploy = (sam, "deploy", "--resolve-s3", "--no-confirm-changeset", "--capabilities",
              "CAPABILITY_IAM", *FLAGS)  # fmt: skip
    run(*deploy, folder=application)
    found = outputs("by-sam")
    drive(found["Url"], found["FunctionName"])
    again = run(*deploy, "--no-fail-on-empty-changeset", folder=application)
    assert "No changes to deploy" in again.stdout + again.stderr
    event = '{"Number1": 10, "Number2": 20}'
    invoked = run(
        sam, "remote", "invoke", "Calculator", "--event", event, *FLAGS, folder=application
    )
    assert json.loads(invoked.stdout.strip().splitlines()[-1])["sum"] == 30
    run(sam, "delete", "--no-prompts", *FLAGS, folder=application)
