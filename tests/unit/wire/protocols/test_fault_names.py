import pytest

from cumulet.core.errors import AccessDenied, Generic, InternalFailure
from cumulet.wire.protocols.fault_names import SERVICES, TABLES, spelling


def kinds(kind):
    for one in kind.__subclasses__():
        if one.__module__ == "cumulet.core.errors":
            yield one


@pytest.mark.parametrize("protocol", TABLES)
def test_every_kind_has_a_spelling_in_every_protocol(protocol):
    assert set(kinds(Generic)) == set(TABLES[protocol])
    assert all(400 <= name.status < 600 for name in TABLES[protocol].values())


def test_a_services_own_spelling_comes_first():
    assert spelling(InternalFailure(), "lambda", "rest-json").code == "ServiceException"
    assert spelling(InternalFailure(), "apigateway", "rest-json").code == "InternalFailure"
    assert all(set(table) <= set(kinds(Generic)) for table in SERVICES.values())


def test_a_kind_of_a_kind_has_its_spelling():
    class Narrower(AccessDenied):
        pass

    assert spelling(Narrower(), "iam", "query").code == "AccessDenied"
