"""What `samconfig.toml` says, in the forms that SAM writes and people write."""

from __future__ import annotations

from pathlib import Path

import pytest

from cumulet.cli.deploying.samconfig import SamConfig, read_samconfig


def read(folder: Path, *lines: str) -> SamConfig:
    (folder / "samconfig.toml").write_text("\n".join(lines))
    return read_samconfig(folder)


def test_no_file_says_nothing(tmp_path: Path) -> None:
    assert read_samconfig(tmp_path) == SamConfig()


def test_the_deploy_section_wins_over_the_global_one(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        "[default.global.parameters]",
        'stack_name = "shop"',
        "[default.deploy.parameters]",
        'stack_name = "shop-live"',
    )
    assert config.stack_name == "shop-live"


@pytest.mark.parametrize(
    "line",
    [
        'parameter_overrides = "Size=3 Name=\\"two words\\""',
        "parameter_overrides = ['Size=3', 'Name=\"two words\"']",
        'parameter_overrides = {Size = 3, Name = "two words"}',
    ],
    ids=["text", "list", "table"],
)
def test_overrides_have_three_forms(tmp_path: Path, line: str) -> None:
    config = read(tmp_path, "[default.deploy.parameters]", line)
    assert config.parameters == {"Size": "3", "Name": "two words"}


def test_a_file_that_cannot_be_read_ends_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        read(tmp_path, "stack_name = ")
    assert ended.value.code == 1
    assert "samconfig.toml cannot be read" in capsys.readouterr().err
