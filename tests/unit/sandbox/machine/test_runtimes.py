"""Which interpreter runs which runtime."""

import sys

import pytest

from cumulet.sandbox import RuntimeUnavailable
from cumulet.sandbox.machine.runtimes import Runtimes


@pytest.fixture
def machine():
    runtimes = Runtimes()
    runtimes._pythons = {11: "/py/bin/python3.11", 13: "/other/bin/python3.13"}
    runtimes._node, runtimes._node_sought = ("/n/bin/node", 18), True
    return runtimes


@pytest.mark.parametrize(
    ("runtime", "path", "warned"),
    [
        ("python3.11", "/py/bin/python3.11", False),
        ("python3.13", "/other/bin/python3.13", False),
        ("python3.9", "/py/bin/python3.11", True),
        ("python3.14", "/other/bin/python3.13", True),
        ("python3.12", f"/{'py' if sys.version_info.minor == 11 else 'other'}", True),
        ("nodejs18.x", "/n/bin/node", False),
        ("nodejs22.x", "/n/bin/node", True),
        ("provided.al2023", "/bin/sh", False),
    ],
)
def test_the_nearest_is_used_with_a_warning(machine, runtime, path, warned):
    found = machine.resolve(runtime)
    assert found.path.startswith(path)
    assert bool(found.warning) is warned


@pytest.mark.parametrize("runtime", ["python3.9", "nodejs22.x"])
def test_strictness_refuses_a_neighbour(machine, runtime):
    with pytest.raises(RuntimeUnavailable, match="is not on this machine"):
        machine.resolve(runtime, strict=True)


@pytest.mark.parametrize("runtime", ["java21", "dotnet8", "ruby3.3", "", "python2.7", "nodejs"])
def test_what_nothing_here_runs_is_refused(machine, runtime):
    with pytest.raises(RuntimeUnavailable, match="is not run here"):
        machine.resolve(runtime)
