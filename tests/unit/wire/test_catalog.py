import os
from pathlib import Path

import pytest

from cumulet.wire.catalog import Catalog


def cache_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_models_are_read_when_first_needed_and_kept(tmp_path):
    catalog = Catalog(tmp_path / "models")
    assert catalog.service("sts").signing_name == "sts"
    assert not (tmp_path / "models").exists()
    assert catalog.service("sts").operation("AssumeRole") is not None
    (name,) = cache_files(tmp_path / "models")
    assert name.startswith("sts-")
    assert catalog.version in name


def test_the_cache_gives_the_same_model(tmp_path):
    first = Catalog(tmp_path).service("lambda").raw
    second = Catalog(tmp_path).service("lambda").raw
    assert first == second
    assert first is not second


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"metadata": {}}', b"\xff\x00"])
def test_a_corrupt_cache_is_rebuilt(tmp_path, content):
    whole = Catalog(tmp_path).service("sts").raw
    (path,) = tmp_path.iterdir()
    path.write_bytes(content)
    assert Catalog(tmp_path).service("sts").raw == whole
    assert path.read_bytes() != content


def test_without_a_place_for_the_cache_models_are_read_all_the_same(tmp_path):
    occupied = tmp_path / "file"
    occupied.write_text("not a folder")
    assert Catalog(occupied).service("sts").operation("GetCallerIdentity") is not None


def test_no_draft_is_left_behind(tmp_path):
    Catalog(tmp_path).service("sts").raw  # noqa: B018
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".tmp")]


def test_prose_is_stripped_and_members_named_like_it_are_kept(tmp_path):
    raw = Catalog(tmp_path).service("apigateway").raw
    assert "documentation" not in raw
    assert "documentation" not in raw["operations"]["GetRestApi"]
    assert raw["shapes"]["DocumentationPart"]["members"]["location"]


def test_the_newest_version_of_a_service_is_taken(tmp_path):
    assert Catalog(tmp_path).service("lambda").api_version == "2015-03-31"


@pytest.mark.parametrize("name", ["nonsense", "../botocore", ""])
def test_an_unknown_service_is_a_key_error(tmp_path, name):
    with pytest.raises(KeyError):
        Catalog(tmp_path).service(name)


def test_a_signing_name_finds_its_service(tmp_path):
    catalog = Catalog(tmp_path)
    assert catalog.knows("monitoring")
    assert catalog.service("monitoring") is catalog.service("cloudwatch")
    assert catalog.service("states").signing_name == "states"


def test_it_knows_what_botocore_knows(tmp_path):
    catalog = Catalog(tmp_path, services=["sts"])
    assert catalog.knows("ecr")
    assert not any(catalog.knows(name) for name in ("nonsense", "", "..", "../botocore", "s3/"))
    assert catalog.services == ("sts",)
