"""Sampling rules, and how clients share them.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sampling.html
"""

from __future__ import annotations

import secrets
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Cloud


@pytest.fixture
def xray(cloud: Cloud) -> Any:
    return cloud.client("xray", region="eu-central-1")


def rule(name: str, **more: Any) -> dict[str, Any]:
    return {
        "RuleName": name,
        "ResourceARN": "*",
        "Priority": 5,
        "FixedRate": 0.5,
        "ReservoirSize": 10,
        "ServiceName": "*",
        "ServiceType": "*",
        "Host": "*",
        "HTTPMethod": "*",
        "URLPath": "*",
        "Version": 1,
        **more,
    }


def names(xray: Any) -> list[str]:
    return [
        one["SamplingRule"]["RuleName"] for one in xray.get_sampling_rules()["SamplingRuleRecords"]
    ]


def refused(call: Any, **words: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**words)
    code: str = caught.value.response["Error"]["Code"]
    return code


def test_rules_are_made_changed_and_deleted(xray: Any) -> None:
    name = secrets.token_hex(8)
    made = xray.create_sampling_rule(SamplingRule=rule(name))["SamplingRuleRecord"]
    assert made["SamplingRule"]["RuleARN"].endswith(f":sampling-rule/{name}")
    assert refused(xray.create_sampling_rule, SamplingRule=rule(name)) == "InvalidRequestException"
    assert names(xray).index(name) < names(xray).index("Default")
    changed = xray.update_sampling_rule(SamplingRuleUpdate={"RuleName": name, "FixedRate": 0.25})
    assert changed["SamplingRuleRecord"]["SamplingRule"]["FixedRate"] == 0.25
    xray.delete_sampling_rule(RuleName=name)
    assert name not in names(xray)
    assert refused(xray.delete_sampling_rule, RuleName=name) == "InvalidRequestException"


def test_the_default_rule_is_always_there(xray: Any) -> None:
    (default,) = [
        one["SamplingRule"]
        for one in xray.get_sampling_rules()["SamplingRuleRecords"]
        if one["SamplingRule"]["RuleName"] == "Default"
    ]
    assert (default["ReservoirSize"], default["FixedRate"]) == (1, 0.05)
    assert refused(xray.delete_sampling_rule, RuleName="Default") == "InvalidRequestException"
    update = {"RuleName": "Default", "Host": "x"}
    code = refused(xray.update_sampling_rule, SamplingRuleUpdate=update)
    assert code == "InvalidRequestException"


def test_clients_share_a_reservoir(xray: Any) -> None:
    name = secrets.token_hex(8)
    xray.create_sampling_rule(SamplingRule=rule(name))

    def target(client: str) -> dict[str, Any]:
        told = {
            "RuleName": name,
            "ClientID": client,
            "Timestamp": time.time(),
            "RequestCount": 7,
            "SampledCount": 2,
        }
        answer = xray.get_sampling_targets(SamplingStatisticsDocuments=[told])
        (found,) = answer["SamplingTargetDocuments"]
        return dict(found)

    assert target("a" * 24)["ReservoirQuota"] == 10
    second = target("b" * 24)
    assert (second["ReservoirQuota"], second["FixedRate"]) == (5, 0.5)
    summaries = xray.get_sampling_statistic_summaries()["SamplingStatisticSummaries"]
    (counted,) = [one for one in summaries if one["RuleName"] == name]
    assert (counted["RequestCount"], counted["SampledCount"]) == (14, 4)
    unknown = {
        "RuleName": "nobody",
        "ClientID": "a" * 24,
        "Timestamp": time.time(),
        "RequestCount": 1,
        "SampledCount": 0,
    }
    answer = xray.get_sampling_targets(SamplingStatisticsDocuments=[unknown])
    assert [one["RuleName"] for one in answer["UnprocessedStatistics"]] == ["nobody"]
    xray.delete_sampling_rule(RuleName=name)
