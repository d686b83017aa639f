"""Layers merged into one folder."""

from cumulet.sandbox.machine.staging import all_reachable, extension_names, merged


def _layer(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_no_layer_and_one_layer_need_no_copy(tmp_path):
    layer = _layer(tmp_path / "a", x="1")
    assert merged((), tmp_path) is None
    assert merged((layer,), tmp_path) == layer


def test_later_layers_lie_over_earlier_ones_and_leave_them_untouched(tmp_path):
    first = _layer(tmp_path / "a", both="1", python__only="a")
    second = _layer(tmp_path / "b", both="2", python__more="b")
    (tmp_path / "layers").mkdir()
    found = merged((first, second), tmp_path)
    assert (found / "both").read_text() == "2"
    assert (found / "python/only").read_text() == "a"
    assert (found / "python/more").read_text() == "b"
    assert (first / "both").read_text() == "1"
    assert merged((first, second), tmp_path) == found
    assert merged((second, first), tmp_path) != found


def test_extensions_are_executable_files_of_their_folder(tmp_path):
    layer = _layer(tmp_path / "a", extensions__one="", extensions__two="", extensions__sub__x="")
    (layer / "extensions/one").chmod(0o755)
    assert extension_names((layer,)) == {"one"}


def test_reachable_means_for_every_user(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert not all_reachable(closed / "file")
