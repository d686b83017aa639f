"""The models file, and what is said of its mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from cumulet.core.clock import ManualClock
from cumulet.services.bedrock.configuration import (
    ModelsFile,
    ModelsFileError,
    parse_models,
    read_models_file,
)
from cumulet.services.bedrock.errors import ResourceNotFoundException
from cumulet.services.bedrock.registry import Named, Registry, read_identifier

EMBEDDED = 'provider = "embedded"'


def model(*lines: str) -> str:
    return "[[model]]\n" + "\n".join(lines) + "\n"


def test_paths_are_those_of_the_files_folder(tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text("abc\n")
    text = model('id = "a.b"', EMBEDDED, 'file = "small.gguf"')
    text += model('id = "c.d"', 'provider = "openai"', 'url = "http://x"', 'key_file = "key.txt"')
    first, second = parse_models(text, tmp_path)
    assert first.file == str(tmp_path / "small.gguf")
    assert second.key == "abc"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (['id = "a b"', EMBEDDED], "cannot be the id"),
        (['id = "a.b"'], "provider"),
        (['id = "a.b"', 'provider = "other"'], "other"),
        (['id = "a.b"', EMBEDDED, 'url = "http://x"'], "not a setting of embedded models: url"),
        (['id = "a.b"', EMBEDDED, "colour = 1"], "colour"),
        (['id = "a.b"', EMBEDDED, "concurrency = 0"], "concurrency"),
        (['id = "a.b"', 'provider = "openai"'], "url must be"),
        (['id = "a.b"', 'provider = "openai"', 'url = "http://x:port"'], "url must be"),
        (
            [
                'id = "a.b"',
                'provider = "openai"',
                'url = "http://x"',
                'key = "a"',
                'key_file = "k"',
            ],
            "not both",
        ),
        (['id = "a.b"', 'provider = "openai"', 'url = "http://x"', 'key = "a\\nb"'], "visible"),
        (['id = "a.b"', 'provider = "openai"', 'url = "http://x"', 'key_file = "k"'], "cannot be"),
        (['id = "a.b"', EMBEDDED, "[[model]]", 'id = "a.b"', EMBEDDED], "comes twice"),
        (["id ="], "line"),
    ],
)
def test_mistakes_are_named(lines: list[str], words: str, tmp_path: Path) -> None:
    with pytest.raises(ModelsFileError, match=words):
        parse_models(model(*lines), tmp_path)


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    assert read_models_file(ModelsFile(path)) == ()
    with pytest.raises(ModelsFileError, match="there is no file"):
        read_models_file(ModelsFile(path, must_exist=True))


@pytest.mark.parametrize(
    ("identifier", "named"),
    [
        ("a.b-v1:0", Named("a.b-v1:0")),
        ("eu.a.b-v1:0", Named("a.b-v1:0", "eu.a.b-v1:0")),
        ("arn:aws:bedrock:us-east-1::foundation-model/a.b", Named("a.b")),
        (
            "arn:aws:bedrock:us-east-1:000000000000:inference-profile/us.a.b",
            Named("a.b", "us.a.b"),
        ),
    ],
)
def test_identifiers_name_a_model(identifier: str, named: Named) -> None:
    assert read_identifier(identifier) == named


def test_an_exact_id_comes_before_a_pattern(tmp_path: Path) -> None:
    text = model('id = "*"', EMBEDDED) + model(
        'id = "a.b"', 'provider = "openai"', 'url = "http://x"'
    )
    registry = Registry(parse_models(text, tmp_path), ManualClock())
    assert registry.find("a.b").entry.provider == "openai"
    assert registry.find("us.a.c").entry.id == "*"
    with pytest.raises(ResourceNotFoundException):
        Registry((), ManualClock()).find("a.b")


def test_ids_of_one_file_share_an_engine(tmp_path: Path) -> None:
    text = model('id = "a.*"', EMBEDDED) + model('id = "b.*"', EMBEDDED)
    text += model('id = "c.*"', EMBEDDED, "threads = 3")
    registry = Registry(parse_models(text, tmp_path), ManualClock())
    first, second, third = (registry.find(f"{name}.x").provider for name in "abc")
    assert first is second
    assert first is not third
