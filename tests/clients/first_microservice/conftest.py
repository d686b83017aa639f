"""How the tests of client programs run them, and the notebooks to run them on."""

import shutil

import pytest
from tests.clients.conftest import ROOT, outputs_of, program, run

__all__ = ["program", "run"]

APPLICATION = ROOT / "apps" / "first-microservice" / "web"


@pytest.fixture
def notebooks(tmp_path):
    """A copy of the application, at its place in a checkout: nothing is built in this one."""
    copy = tmp_path / "checkout" / "apps" / "first-microservice" / "web"
    shutil.copytree(APPLICATION, copy, ignore=shutil.ignore_patterns(".cumulet", ".aws-sam"))
    return copy


@pytest.fixture
def named(cloud):
    """What the README and the application's own test want to know of a stack."""

    def find(stack):
        told = outputs_of(cloud, stack)
        return {
            "API": told["ApiUrl"].rstrip("/"),
            "PAGE": told["PageUrl"],
            "SITE": cloud.endpoint,
            "TABLE": told["TableName"],
        }

    return find
