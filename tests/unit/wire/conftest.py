import pytest

from cumulet.wire.catalog import Catalog


@pytest.fixture(scope="session")
def catalog(tmp_path_factory):
    return Catalog(tmp_path_factory.mktemp("models"))
