"""What SNS topics, functions and event buses are told of an alarm's change. Pure."""

from __future__ import annotations

import json
import uuid
from typing import Any

from cumulet.core.identity import Scope
from cumulet.services.cloudwatch.alarms.evaluating import stamp
from cumulet.services.cloudwatch.alarms.model import Alarm, Change, alarm_arn

_NAMESPACE = uuid.UUID("6f4c5f0e-0c4e-4c1b-9f43-4d2f3c8f2a11")
_REGIONS = {
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "us-west-1": "US West (N. California)",
    "us-west-2": "US West (Oregon)",
    "ca-central-1": "Canada (Central)",
    "eu-west-1": "EU (Ireland)",
    "eu-west-2": "EU (London)",
    "eu-west-3": "EU (Paris)",
    "eu-central-1": "EU (Frankfurt)",
    "eu-north-1": "EU (Stockholm)",
    "eu-south-1": "EU (Milan)",
    "ap-south-1": "Asia Pacific (Mumbai)",
    "ap-northeast-1": "Asia Pacific (Tokyo)",
    "ap-northeast-2": "Asia Pacific (Seoul)",
    "ap-southeast-1": "Asia Pacific (Singapore)",
    "ap-southeast-2": "Asia Pacific (Sydney)",
    "sa-east-1": "South America (Sao Paulo)",
}


def region_name(region: str) -> str:
    """The region as notifications call it."""
    return _REGIONS.get(region, region)


def subject_of(change: Change, scope: Scope) -> str:
    """The subject of a notification, which SNS wants short."""
    after = change.after
    return f'{after.state}: "{after.name}" in {region_name(scope.region)}'[:100]


def notification(change: Change, scope: Scope) -> str:
    """The message that a topic gets.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
    """
    before, after = change
    told: dict[str, Any] = {
        "AlarmName": after.name,
        "AlarmDescription": after.settings.get("AlarmDescription"),
        "AWSAccountId": scope.account,
        "AlarmConfigurationUpdatedTimestamp": stamp(after.configured_at),
        "NewStateValue": after.state,
        "NewStateReason": after.reason,
        "StateChangeTime": stamp(after.updated_at),
        "Region": region_name(scope.region),
        "AlarmArn": alarm_arn(scope, after.name),
        "OldStateValue": before.state,
        "OKActions": after.settings.get("OKActions") or [],
        "AlarmActions": after.settings.get("AlarmActions") or [],
        "InsufficientDataActions": after.settings.get("InsufficientDataActions") or [],
    }
    if after.is_composite:
        told["AlarmRule"] = after.settings["AlarmRule"]
        if after.reason_data:
            told["TriggeringChildren"] = _triggering(after)
    else:
        told["Trigger"] = _trigger(after)
    return json.dumps(told, separators=(",", ":"))


def _triggering(alarm: Alarm) -> list[dict[str, Any]]:
    found = json.loads(alarm.reason_data).get("triggeringAlarms", [])
    return [{"Arn": one["arn"], "State": one["state"]} for one in found]


def _trigger(alarm: Alarm) -> dict[str, Any]:
    settings = alarm.settings
    told: dict[str, Any] = {}
    if metrics := settings.get("Metrics"):
        told["Metrics"] = metrics
    else:
        told |= {"MetricName": settings["MetricName"], "Namespace": settings["Namespace"]}
        if extended := settings.get("ExtendedStatistic"):
            told |= {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": extended}
        else:
            told |= {"StatisticType": "Statistic", "Statistic": settings["Statistic"].upper()}
        told["Unit"] = settings.get("Unit")
        told["Dimensions"] = [
            {"value": one["Value"], "name": one["Name"]} for one in settings.get("Dimensions") or ()
        ]
    told |= {
        "Period": settings.get("Period", 60),
        "EvaluationPeriods": settings["EvaluationPeriods"],
    }
    if needed := settings.get("DatapointsToAlarm"):
        told["DatapointsToAlarm"] = needed
    told |= {
        "ComparisonOperator": settings["ComparisonOperator"],
        "Threshold": settings["Threshold"],
        "TreatMissingData": settings.get("TreatMissingData", "missing"),
        "EvaluateLowSampleCountPercentile": settings.get("EvaluateLowSampleCountPercentile", ""),
    }
    return told


def invocation(change: Change, scope: Scope) -> str:
    """The event that a function gets.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
    """
    told = {
        "source": "aws.cloudwatch",
        "alarmArn": alarm_arn(scope, change.after.name),
        "accountId": scope.account,
        "time": stamp(change.after.updated_at),
        "region": scope.region,
        "alarmData": _detail(change, scope),
    }
    return json.dumps(told, separators=(",", ":"))


def state_event(change: Change, scope: Scope, uid: str) -> dict[str, Any]:
    """The event for the default bus.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    """
    return {
        "version": "0",
        "id": uid,
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": scope.account,
        "time": stamp(change.after.updated_at)[:19] + "Z",
        "region": scope.region,
        "resources": [alarm_arn(scope, change.after.name)],
        "detail": _detail(change, scope),
    }


def _detail(change: Change, scope: Scope) -> dict[str, Any]:
    before, after = change
    return {
        "alarmName": after.name,
        "state": _state(after),
        "previousState": _state(before),
        "configuration": _configuration(after, scope),
    }


def _state(alarm: Alarm) -> dict[str, Any]:
    told = {"value": alarm.state, "reason": alarm.reason, "timestamp": stamp(alarm.updated_at)}
    if alarm.reason_data:
        told["reasonData"] = alarm.reason_data
    if alarm.suppressed_by:
        told["actionsSuppressedBy"] = alarm.suppressed_by
    return told


def _configuration(alarm: Alarm, scope: Scope) -> dict[str, Any]:
    settings = alarm.settings
    told: dict[str, Any] = {}
    if description := settings.get("AlarmDescription"):
        told["description"] = description
    if alarm.is_composite:
        told["alarmRule"] = settings["AlarmRule"]
        for name in (
            "ActionsSuppressor",
            "ActionsSuppressorWaitPeriod",
            "ActionsSuppressorExtensionPeriod",
        ):
            if name in settings:
                told[name[0].lower() + name[1:]] = settings[name]
        return told
    if queries := settings.get("Metrics"):
        told["metrics"] = [_query(one) for one in queries]
        return told
    stat: dict[str, Any] = {
        "metric": _metric(settings),
        "period": settings["Period"],
        "stat": settings.get("Statistic") or settings.get("ExtendedStatistic"),
    }
    if unit := settings.get("Unit"):
        stat["unit"] = unit
    uid = str(uuid.uuid5(_NAMESPACE, alarm_arn(scope, alarm.name)))
    told["metrics"] = [{"id": uid, "metricStat": stat, "returnData": True}]
    return told


def _metric(given: dict[str, Any]) -> dict[str, Any]:
    return {
        "namespace": given["Namespace"],
        "name": given["MetricName"],
        "dimensions": {one["Name"]: one["Value"] for one in given.get("Dimensions") or ()},
    }


def _query(query: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"id": query["Id"]}
    if stat := query.get("MetricStat"):
        told["metricStat"] = {
            "metric": _metric(stat["Metric"]),
            "period": stat["Period"],
            "stat": stat["Stat"],
            **({"unit": stat["Unit"]} if "Unit" in stat else {}),
        }
    else:
        told["expression"] = query["Expression"]
    if label := query.get("Label"):
        told["label"] = label
    told["returnData"] = query.get("ReturnData", True)
    return told
