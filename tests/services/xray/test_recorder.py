"""What services tell of traces: bounded in memory, written in batches, sampled by rules."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest
from tests.services.events.conftest import ACCOUNT, Inside, run_inside

from cumulet.core.identity import Scope
from cumulet.kit.ports import Segments, TraceStart
from cumulet.services.xray import recorder

NOW = 1_790_000_000.0
HERE = Scope(ACCOUNT, "us-east-1")
GATEWAY = "AWS::ApiGateway::Stage"


def segment(now: float, **more: Any) -> dict[str, Any]:
    return {
        "id": secrets.token_hex(8),
        "trace_id": f"1-{int(now):08x}-{secrets.token_hex(12)}",
        "name": "n",
        "start_time": now,
        "end_time": now,
        **more,
    }


async def kept(inside: Inside, *documents: dict[str, Any]) -> list[str]:
    ids = [one["trace_id"] for one in documents]
    answer = await inside.call("xray", "BatchGetTraces", TraceIds=ids)
    return [one["Id"] for one in answer["Traces"]]


def test_what_is_told_is_kept(tmp_path: Path) -> None:
    async def story(inside: Inside) -> None:
        segments = inside.platform.need(Segments)
        document = segment(inside.clock.now())
        segments.put(HERE, document)
        await segments.flush()
        assert await kept(inside, document) == [document["trace_id"]]

    run_inside(tmp_path / "data", story, NOW)


def test_what_does_not_hold_is_left_out_and_the_others_are_kept(tmp_path: Path) -> None:
    async def story(inside: Inside) -> None:
        segments = inside.platform.need(Segments)
        now = inside.clock.now()
        good, bad = segment(now), segment(now, id="x")
        large = segment(now, metadata={"default": {"text": "x" * 70_000}})
        for one in (bad, large, good):
            segments.put(HERE, one)
        await segments.flush()
        assert await kept(inside, bad, large, good) == [good["trace_id"]]

    run_inside(tmp_path / "data", story, NOW)


def test_too_many_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "WAITING_MAX", 2)

    async def story(inside: Inside) -> None:
        segments = inside.platform.need(Segments)
        documents = [segment(inside.clock.now()) for _ in range(3)]
        for one in documents:
            segments.put(HERE, one)
        await segments.flush()
        assert len(await kept(inside, *documents)) == 2
        segments.put(HERE, documents[2])
        await segments.flush()
        assert len(await kept(inside, *documents)) == 3

    run_inside(tmp_path / "data", story, NOW)


def test_calls_of_a_segment_are_its_accounts_alone(tmp_path: Path) -> None:
    async def story(inside: Inside) -> None:
        segments = inside.platform.need(Segments)
        segments.follow(HERE, "t", "s")
        assert segments.followed(HERE.account, "t", "s") == HERE
        assert segments.followed("999999999999", "t", "s") is None
        assert segments.followed(HERE.account, "u", "s") is None
        segments.leave(HERE, "t", "s")
        assert segments.followed(HERE.account, "t", "s") is None

    run_inside(tmp_path / "data", story, NOW)


def rule(name: str, **more: Any) -> dict[str, Any]:
    return {
        "RuleName": name,
        "ResourceARN": "*",
        "Priority": 5,
        "FixedRate": 0.0,
        "ReservoirSize": 0,
        "ServiceName": "*",
        "ServiceType": "*",
        "Host": "*",
        "HTTPMethod": "*",
        "URLPath": "*",
        "Version": 1,
        **more,
    }


START = TraceStart(
    "shop/prod",
    GATEWAY,
    "arn:aws:apigateway:us-east-1::/restapis/a1/stages/prod",
    "a1.execute-api.localhost",
    "GET",
    "/orders/7",
    {"x-tenant": "gold"},
)


def test_the_default_rule_takes_one_each_second_and_a_twentieth(tmp_path: Path) -> None:
    async def story(inside: Inside) -> None:
        segments = inside.platform.need(Segments)
        taken = [await segments.sample(HERE, START) for _ in range(4_000)]
        assert taken[0] == "Default"
        assert 100 < taken.count("Default") < 320
        await inside.clock.advance(1)
        assert await segments.sample(HERE, START) == "Default"
        answer = await inside.call("xray", "GetSamplingStatisticSummaries")
        (told,) = answer["SamplingStatisticSummaries"]
        assert (told["RuleName"], told["RequestCount"]) == ("Default", 4_001)

    run_inside(tmp_path / "data", story, NOW)


@pytest.mark.parametrize(
    ("settings", "fits"),
    [
        ({}, True),
        ({"ServiceName": "shop/*"}, True),
        ({"ServiceName": "SHOP/pr?d"}, True),
        ({"ServiceName": "other/*"}, False),
        ({"ServiceType": GATEWAY}, True),
        ({"ServiceType": "AWS::Lambda::Function"}, False),
        ({"Host": "*.localhost"}, True),
        ({"Host": "example.com"}, False),
        ({"HTTPMethod": "POST"}, False),
        ({"URLPath": "/orders/?"}, True),
        ({"URLPath": "/orders"}, False),
        ({"ResourceARN": "arn:aws:apigateway:*/stages/prod"}, True),
        ({"ResourceARN": "arn:aws:lambda:*"}, False),
        ({"Attributes": {"X-Tenant": "g*"}}, True),
        ({"Attributes": {"X-Tenant": "silver"}}, False),
        ({"Attributes": {"X-Other": "*"}}, False),
    ],
)
def test_a_rule_is_for_what_it_says(tmp_path: Path, settings: dict[str, Any], fits: bool) -> None:
    async def story(inside: Inside) -> None:
        segments = inside.platform.need(Segments)
        # The rules are read once before, so that a change must be noticed.
        await segments.sample(HERE, START)
        made = rule("mine", FixedRate=1.0, **settings)
        await inside.call("xray", "CreateSamplingRule", SamplingRule=made)
        lower = rule("nothing", Priority=9)
        await inside.call("xray", "CreateSamplingRule", SamplingRule=lower)
        assert await segments.sample(HERE, START) == ("mine" if fits else "")

    run_inside(tmp_path / "data", story, NOW)
