"""Configuration: keys, folders and their defaults."""

from __future__ import annotations

from pathlib import Path

import pytest

from cumulet.app.config import DEFAULT_ACCOUNT, Config, default_data, parse_key


def test_a_key_is_an_id_and_a_secret() -> None:
    key = parse_key("test:a:b")
    assert (key.access_key_id, key.secret, key.account) == ("test", "a:b", DEFAULT_ACCOUNT)


def test_a_key_of_twelve_digits_is_its_own_account() -> None:
    assert parse_key("123456789012:x").account == "123456789012"
    assert parse_key("12345678901:x").account == DEFAULT_ACCOUNT


@pytest.mark.parametrize("text", ["", "test", ":x", "test:", "a b:c", "a-b:c", "x" * 129 + ":c"])
def test_what_is_no_key_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="a key"):
        parse_key(text)


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"CUMULET_DATA": "/d", "XDG_DATA_HOME": "/x", "HOME": "/h"}, "/d"),
        ({"XDG_DATA_HOME": "/x", "HOME": "/h"}, "/x/cumulet"),
        ({"HOME": "/h"}, "/h/.local/share/cumulet"),
    ],
)
def test_the_data_folder_is_chosen_or_the_users(environment: dict[str, str], folder: str) -> None:
    assert default_data(environment) == Path(folder)


def test_everything_but_the_folder_has_a_default() -> None:
    config = Config(Path("/d"))
    assert (config.host, config.port, config.scheme) == ("127.0.0.1", 4566, "http")
    assert config.cache == Path("/d/cache")
    assert Config(Path("/d"), tls=True).scheme == "https"


def test_the_environment_is_not_shown() -> None:
    assert "hidden" not in repr(Config(Path("/d"), environment={"SECRET": "hidden"}))
