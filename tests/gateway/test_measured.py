"""What CloudWatch hears of each request.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
"""

from __future__ import annotations

from tests.gateway.cast import Measured, lambda_says, method, stage_of

from cumulet.kit.ports import Metrics
from cumulet.services.apigateway.pipeline.observe.measure import MEASURED_MAX, Measures

API = {"ApiName": "n"}
STAGE = {"ApiName": "n", "Stage": "prod"}


def heard(play, stage, path="/it", **more):
    measured = Measured()
    parts = {Metrics: measured}
    play(stage, "GET", path, parts=parts, **more)
    parts[Measures].tell()
    return measured


def values(measured, where):
    return {name: value for name, place, value, _ in measured if place == where}


def test_a_request_is_counted_by_api_and_by_stage(play):
    measured = heard(play, stage_of({"/it": [method("GET")]}))
    for where in (API, STAGE):
        found = values(measured, where)
        assert found.keys() == {"Count", "Latency", "IntegrationLatency", "4XXError", "5XXError"}
        assert (found["Count"], found["4XXError"], found["5XXError"]) == (1.0, 0.0, 0.0)
    units = {name: unit for name, _, _, unit in measured}
    assert units["Latency"] == units["IntegrationLatency"] == "Milliseconds"
    assert units["Count"] == "Count"
    assert {tuple(place) for _, place, _, _ in measured} == {("ApiName",), ("ApiName", "Stage")}


def test_refusals_and_failures_are_told_apart(play):
    stage = stage_of({"/it": [method("GET")]})
    lost = values(heard(play, stage, "/nowhere"), STAGE)
    assert (lost["4XXError"], lost["5XXError"]) == (1.0, 0.0)
    assert "IntegrationLatency" not in lost
    broken = values(heard(play, stage, answers=lambda_says("no proxy answer")), STAGE)
    assert (broken["4XXError"], broken["5XXError"]) == (0.0, 1.0)


def test_a_method_is_measured_when_its_settings_say_so(play):
    settings = {"*/*": {"metricsEnabled": True}}
    measured = heard(play, stage_of({"/it": [method("GET")]}, method_settings=settings))
    where = {"ApiName": "n", "Method": "GET", "Resource": "/it", "Stage": "prod"}
    assert values(measured, where)["Count"] == 1.0


def test_what_waits_is_bounded(play):
    measured = Measured()
    parts = {Metrics: measured}
    stage = stage_of({"/it": [method("GET")]})
    for _ in range(MEASURED_MAX + 1):
        play(stage, "GET", "/nowhere", parts=parts)
    counted = [name for name, place, _, _ in measured if place == STAGE and name == "Count"]
    assert len(counted) == MEASURED_MAX
    parts[Measures].tell()
    counted = [name for name, place, _, _ in measured if place == STAGE and name == "Count"]
    assert len(counted) == MEASURED_MAX + 1
