"""Two accounts of one cloud."""

import pytest
from tests.conftest import Cloud
from tests.services.s3.settings.accounts import ONE, TWO


@pytest.fixture(scope="module")
def two_accounts(tmp_path_factory):
    keys = [word for key in (ONE, TWO) for word in ("--key", ":".join(key))]
    cloud = Cloud(tmp_path_factory.mktemp("two") / "data", "--bare", *keys).start()
    yield cloud
    cloud.stop()


@pytest.fixture(scope="module")
def one(two_accounts):
    return two_accounts.client("s3", key=ONE)


@pytest.fixture(scope="module")
def two(two_accounts):
    return two_accounts.client("s3", key=TWO)


@pytest.fixture(scope="module")
def anybody(two_accounts):
    return two_accounts.client("s3", unsigned=True)
