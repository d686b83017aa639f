"""The real CDK CLI: deploy, diff, deploy again, destroy; nothing to bootstrap."""

from pathlib import Path

APP = Path(__file__).parent / "first_microservice.py"


def test_cdk_deploy_diff_and_destroy(run, program, application, drive, outputs, tmp_path):
    cdk, python = program("cdk"), program("cdk library")
    common = {"CODE": str(application / "src"), "AWS_ACCOUNT_ID": "000000000000"}
    app = ("--app", f"{python} {APP}", "--output", tmp_path / "cdk.out")
    run(cdk, "deploy", "--require-approval", "never", *app, **common)
    found = outputs("by-cdk")
    drive(found)
    difference = run(cdk, "diff", "--fail", *app, **common)
    assert "There were no differences" in difference.stdout + difference.stderr
    again = run(cdk, "deploy", "--require-approval", "never", *app, **common)
    assert "(no changes)" in again.stdout + again.stderr
    run(cdk, "destroy", "--force", *app, **common)
