"""Usage plans: what their patches make of them."""

from __future__ import annotations

import pytest

from cumulet.services.apigateway.admission.usage.passes import route_of
from cumulet.services.apigateway.admission.usage.plans import parse_plan, patch_plan
from cumulet.services.apigateway.errors import BadRequestException, NotFoundException

PLAN = parse_plan({"name": "n", "apiStages": [{"apiId": "a", "stage": "s"}]}, "p", None)


def patch(op: str, path: str, value: str | None = None) -> dict[str, str]:
    return {"op": op, "path": path, **({} if value is None else {"value": value})}


def test_a_quota_can_be_added_part_by_part_but_not_left_halved() -> None:
    whole = patch_plan(
        PLAN,
        [
            patch("add", "/quota/limit", "5"),
            patch("add", "/quota/offset", "2"),
            patch("add", "/quota/period", "week"),
        ],
    )
    assert whole.quota is not None
    assert (whole.quota.limit, whole.quota.offset, whole.quota.period) == (5, 2, "WEEK")
    with pytest.raises(BadRequestException):
        patch_plan(PLAN, [patch("add", "/quota/limit", "5")])
    assert patch_plan(whole, [patch("remove", "/quota")]).quota is None


@pytest.mark.parametrize(
    "operation",
    [
        patch("add", "/throttle/rateLimit", "fast"),
        patch("add", "/quota/limit", "many"),
        patch("replace", "/apiStages", "a:s"),
        patch("add", "/apiStages", "no-colon"),
        patch("add", "/apiStages/a:s/throttle", "1"),
        patch("remove", "/apiStages/a:s/throttle/x/GET/rateLimit"),
        patch("replace", "/id", "x"),
    ],
)
def test_patches_that_make_no_sense_are_refused(operation: dict[str, str]) -> None:
    with pytest.raises(BadRequestException):
        patch_plan(PLAN, [operation])


@pytest.mark.parametrize(
    "operation",
    [
        patch("remove", "/apiStages", "b:s"),
        patch("add", "/apiStages/b:s/throttle/x/GET/rateLimit", "1"),
        patch("remove", "/apiStages/a:s/throttle/x/GET"),
    ],
)
def test_what_is_not_there_is_not_found(operation: dict[str, str]) -> None:
    with pytest.raises(NotFoundException):
        patch_plan(PLAN, [operation])


@pytest.mark.parametrize(
    ("given", "route"),
    [
        ("/pets/GET", "/pets/GET"),
        ("pets/GET", "/pets/GET"),
        ("~1pets~1{id}/GET", "/pets/{id}/GET"),
        ("//GET", "/GET"),
        ("/GET", "/GET"),
    ],
)
def test_a_method_is_found_however_its_path_is_written(given: str, route: str) -> None:
    assert route_of(given) == route
