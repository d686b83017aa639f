"""Errors in AWS's words: code, status, fields and headers."""

from __future__ import annotations

import pytest

from cumulet.core import errors
from cumulet.core.errors import AccessDenied, AwsError, Generic, InternalFailure


class NoSuchPlanet(AwsError):
    """As a service would name it."""

    status = 404


def test_a_code_is_the_class_name_unless_given() -> None:
    assert NoSuchPlanet("gone").code == "NoSuchPlanet"
    assert AwsError("x", code="Other").code == "Other"


def test_a_status_is_the_classs_unless_given() -> None:
    assert NoSuchPlanet("gone").http_status == 404
    assert NoSuchPlanet("gone", http_status=410).http_status == 410
    assert AwsError("x").http_status is None


def test_other_members_of_the_shape_come_along() -> None:
    error = NoSuchPlanet("gone", headers={"Retry-After": "1"}, PlanetName="Vulcan")
    assert error.fields == {"PlanetName": "Vulcan"}
    assert error.headers == {"Retry-After": "1"}
    assert (str(error), error.message) == ("gone", "gone")


def test_only_mistakes_of_ours_are_the_servers_fault() -> None:
    kinds = [one for one in vars(errors).values() if isinstance(one, type)]
    generic = [one for one in kinds if issubclass(one, Generic) and one is not Generic]
    assert len(generic) > 10
    for kind in generic:
        assert kind.status is not None
        assert kind.fault == ("server" if kind.status >= 500 else "client"), kind


def test_every_error_can_be_caught_as_awss() -> None:
    for kind in (AccessDenied, InternalFailure, NoSuchPlanet):
        with pytest.raises(AwsError):
            raise kind("said")
