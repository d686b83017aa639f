"""The generator of request and answer types, as `make shapes` runs it."""

import importlib.util
import subprocess
import sys
import types
import typing
from pathlib import Path
from typing import NotRequired

import pytest

from cumulet.wire.catalog import Catalog

TOOL = Path(__file__).parents[3] / "tools" / "shapes.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("tools_shapes", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    return Catalog(tmp_path_factory.mktemp("models"))


def service(tmp_path, name, *operations):
    folder = tmp_path / name
    (folder / "operations").mkdir(parents=True)
    text = "".join(f'@operation("{one}", resource="*")\nasync def f(): ...\n' for one in operations)
    (folder / "operations" / "thing.py").write_text(text)
    return folder


@pytest.fixture
def loaded(monkeypatch):
    """A function that makes a module of a generated text, known by name as type hints need it."""

    def load(text):
        module = types.ModuleType("generated_shapes")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(text, module.__name__, "exec"), vars(module))
        return vars(module)

    return load


def hints(space, name, **options):
    return typing.get_type_hints(space[name], **options)


def test_only_declared_operations_are_generated(tool, catalog, tmp_path, loaded):
    space = loaded(tool.generate(service(tmp_path, "iam", "GetUser", "AssumeRole"), catalog))
    assert {"GetUserRequest", "GetUserInput", "AssumeRoleRequest", "AssumeRoleOutput"} <= set(space)
    assert "ListUsersRequest" not in space
    assert space["GetUserInput"] is space["GetUserRequest"]
    told = hints(space, "AssumeRoleRequest", include_extras=True)
    needed = {name for name, kind in told.items() if typing.get_origin(kind) is not NotRequired}
    assert needed == {"RoleArn", "RoleSessionName"}


def test_types_are_what_operations_get(tool, catalog, tmp_path, loaded):
    space = loaded(tool.generate(service(tmp_path, "s3", "PutObject", "GetObject"), catalog))
    put, got = hints(space, "PutObjectInput"), hints(space, "GetObjectOutput")
    assert put["Body"].__name__ == "Body"
    assert (put["Metadata"], put["ObjectLockRetainUntilDate"], put["ContentLength"]) == (
        dict[str, str],
        float,
        int,
    )
    assert "AsyncIterator" in str(got["Body"])
    assert got["ResponseMetadata"] == dict[str, typing.Any]


def test_streams_of_events_are_iterators(tool, catalog, tmp_path, loaded):
    folder = service(tmp_path, "lambda_", "InvokeWithResponseStream")
    space = loaded(tool.generate(folder, catalog))
    stream = hints(space, "InvokeWithResponseStreamOutput")["EventStream"]
    assert "AsyncIterator" in str(stream)


def test_members_that_are_words_of_python_are_kept(tool, catalog, tmp_path, loaded):
    folder = service(tmp_path, "apigatewayv2", "GetApis")
    assert "GetApisOutput" in loaded(tool.generate(folder, catalog))
    text = tool._typed_dict("T", {"from": "int", "x": "str"})
    space = loaded("from typing import TypedDict\n" + text)
    assert set(space["T"].__annotations__) == {"from", "x"}


def test_a_name_that_no_model_has_has_no_types(tool, catalog, tmp_path):
    with_it = tool.generate(service(tmp_path / "a", "iam", "GetUser", "Nonsense"), catalog)
    without = tool.generate(service(tmp_path / "b", "iam", "GetUser"), catalog)
    assert with_it == without


def test_shapes_of_two_models_do_not_meet(tool, catalog, tmp_path, loaded):
    folder = service(tmp_path, "cloudwatch", "TagResource", "ListTagsForResource")
    space = loaded(tool.generate(folder, catalog))
    assert set(hints(space, "TagResourceRequest")) == {"resourceArn", "tags"}
    assert set(hints(space, "TagResourceInput")) == {"ResourceARN", "Tags"}


def test_the_text_is_the_same_every_time(tool, catalog, tmp_path):
    folder = service(tmp_path, "lambda_", "Invoke", "CreateFunction")
    assert tool.generate(folder, catalog) == tool.generate(folder, catalog)


def test_what_is_out_of_date_is_told(tool, tmp_path, monkeypatch, capsys):
    folder = service(tmp_path, "sts", "GetCallerIdentity")
    monkeypatch.setattr(tool, "SERVICES", tmp_path)
    assert tool.main(["--check"]) == 1
    assert "sts/shapes.py is out of date" in capsys.readouterr().err
    assert not (folder / "shapes.py").exists()


def test_it_runs_as_a_program():
    answer = subprocess.run(
        [sys.executable, str(TOOL), "--help"], capture_output=True, text=True, check=True
    )
    assert "--check" in answer.stdout
