"""The layers of isolation, told to people."""

from pathlib import Path

from cumulet.sandbox import SandboxConfig
from cumulet.sandbox.machine.cgroups import Cgroups
from cumulet.sandbox.machine.report import describe_layers, missing_essentials

ALL = dict.fromkeys(("filesystem", "processes", "users", "privileges", "landlock", "seccomp"), "")


def test_what_is_in_force_says_how_and_what_it_means():
    layers = describe_layers(ALL, Cgroups(), SandboxConfig(Path("/w")))
    assert [layer.name for layer in layers if not layer.in_force] == ["limits"]
    assert all(layer.meaning for layer in layers)


def test_what_is_missing_says_why():
    layers = describe_layers({**ALL, "seccomp": "no"}, Cgroups(), SandboxConfig(Path("/w")))
    (seccomp,) = [layer for layer in layers if layer.name == "seccomp"]
    assert not seccomp.in_force
    assert seccomp.essential
    assert seccomp.detail == "no"


def test_files_may_be_kept_by_either_of_two_layers():
    assert missing_essentials(ALL) == []
    assert missing_essentials({**ALL, "filesystem": "no"}) == []
    assert missing_essentials({**ALL, "landlock": "no"}) == []
    assert missing_essentials({**ALL, "filesystem": "no", "landlock": "no"}) == ["filesystem"]
    assert missing_essentials({}) == ["privileges", "seccomp", "filesystem"]
