"""The real Terraform with its AWS provider: apply, a plan without changes, destroy."""

import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from cumulet.cli.addresses import local_url

MODULE = Path(__file__).parent / "terraform" / "main.tf"
PLUGINS = ("terraform.d/plugins", ".terraform.d/plugins", ".local/share/terraform/plugins")


def mirror():
    """A folder of provider plugins: named by a variable, or where such folders are put."""
    named = os.environ.get("TERRAFORM_PLUGINS")
    places = [Path(named)] if named else []
    places += [Path.home() / place for place in PLUGINS]
    places += [Path("/usr/local/share/terraform/plugins"), *Path("/opt").glob("*")]
    for place in places:
        if next(place.glob("registry.terraform.io/hashicorp/aws/5.100.0/*"), None):
            return place
    return pytest.skip(
        "Terraform's AWS provider 5.100.0 is not on this machine (TERRAFORM_PLUGINS)"
    )


def test_apply_plan_and_destroy(run, program, cloud, application, drive, tmp_path):
    terraform, plugins = program("terraform"), mirror()
    folder = tmp_path / "module"
    folder.mkdir()
    shutil.copy(MODULE, folder)
    package = tmp_path / "calculator.zip"
    with zipfile.ZipFile(package, "w") as archive:
        for name in ("calculator.py", "doorkeeper.py"):
            archive.write(application / "src" / name, name)
    settings = tmp_path / "terraform.rc"
    settings.write_text(
        f'provider_installation {{\n  filesystem_mirror {{ path = "{plugins}" }}\n}}\n'
    )
    common = {"TF_CLI_CONFIG_FILE": str(settings), "TF_VAR_package": str(package)}
    run(terraform, "init", "-no-color", folder=folder, **common)
    run(terraform, "apply", "-auto-approve", "-no-color", folder=folder, **common)
    found = json.loads(run(terraform, "output", "-json", folder=folder, **common).stdout)
    told = {name: one["value"] for name, one in found.items()}
    drive(
        {
            "Url": local_url(told["url"], cloud.endpoint),
            "FunctionName": told["function"],
            "ApiKeyId": told["key"],
            "DoorkeeperName": told["doorkeeper"],
        }
    )
    plan = run(terraform, "plan", "-detailed-exitcode", "-no-color", folder=folder, **common)
    assert "No changes." in plan.stdout
    run(terraform, "destroy", "-auto-approve", "-no-color", folder=folder, **common)
