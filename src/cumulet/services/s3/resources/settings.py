"""Configurations of a bucket as templates spell them, and the operations that make them so. Pure.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from cumulet.kit.resources import FLAG, NUMBER, TEXT, list_of, struct
from cumulet.services.s3.rules.lifecycle import check_rules

Props = Mapping[str, Any]
Made = dict[str, Any]

_TAG = struct({"Key": TEXT, "Value": TEXT}, "Key", "Value")
_FILTER = struct(
    {"S3Key": struct({"Rules": list_of(struct({"Name": TEXT, "Value": TEXT}, "Name", "Value"))})}
)
_REDIRECT = {
    "HostName": TEXT,
    "HttpRedirectCode": TEXT,
    "Protocol": TEXT,
    "ReplaceKeyPrefixWith": TEXT,
    "ReplaceKeyWith": TEXT,
}

SETTINGS_SCHEMA = {
    "CorsConfiguration": struct(
        {
            "CorsRules": list_of(
                struct(
                    {
                        "Id": TEXT,
                        "AllowedHeaders": list_of(TEXT),
                        "AllowedMethods": list_of(TEXT),
                        "AllowedOrigins": list_of(TEXT),
                        "ExposedHeaders": list_of(TEXT),
                        "MaxAge": NUMBER,
                    },
                    "AllowedMethods",
                    "AllowedOrigins",
                )
            )
        },
        "CorsRules",
    ),
    "WebsiteConfiguration": struct(
        {
            "ErrorDocument": TEXT,
            "IndexDocument": TEXT,
            "RedirectAllRequestsTo": struct({"HostName": TEXT, "Protocol": TEXT}, "HostName"),
            "RoutingRules": list_of(
                struct(
                    {
                        "RedirectRule": struct(_REDIRECT),
                        "RoutingRuleCondition": struct(
                            {"HttpErrorCodeReturnedEquals": TEXT, "KeyPrefixEquals": TEXT}
                        ),
                    },
                    "RedirectRule",
                )
            ),
        }
    ),
    "LoggingConfiguration": struct(
        {
            "DestinationBucketName": TEXT,
            "LogFilePrefix": TEXT,
            "TargetObjectKeyFormat": struct(
                {
                    "SimplePrefix": struct({}),
                    "PartitionedPrefix": struct({"PartitionDateSource": TEXT}),
                }
            ),
        },
        "DestinationBucketName",
    ),
    "NotificationConfiguration": struct(
        {
            "LambdaConfigurations": list_of(
                struct({"Event": TEXT, "Function": TEXT, "Filter": _FILTER}, "Event", "Function")
            ),
            "QueueConfigurations": list_of(
                struct({"Event": TEXT, "Queue": TEXT, "Filter": _FILTER}, "Event", "Queue")
            ),
        }
    ),
    "ObjectLockConfiguration": struct(
        {
            "ObjectLockEnabled": TEXT,
            "Rule": struct(
                {"DefaultRetention": struct({"Days": NUMBER, "Years": NUMBER, "Mode": TEXT})}
            ),
        }
    ),
    "LifecycleConfiguration": struct(
        {
            "Rules": list_of(
                struct(
                    {
                        "Id": TEXT,
                        "Status": TEXT,
                        "Prefix": TEXT,
                        "TagFilters": list_of(_TAG),
                        "ObjectSizeGreaterThan": TEXT,
                        "ObjectSizeLessThan": TEXT,
                        "ExpirationInDays": NUMBER,
                        "ExpirationDate": TEXT,
                        "ExpiredObjectDeleteMarker": FLAG,
                        "NoncurrentVersionExpirationInDays": NUMBER,
                        "NoncurrentVersionExpiration": struct(
                            {"NoncurrentDays": NUMBER, "NewerNoncurrentVersions": NUMBER},
                            "NoncurrentDays",
                        ),
                        "AbortIncompleteMultipartUpload": struct(
                            {"DaysAfterInitiation": NUMBER}, "DaysAfterInitiation"
                        ),
                        "Transitions": list_of(
                            struct(
                                {
                                    "StorageClass": TEXT,
                                    "TransitionInDays": NUMBER,
                                    "TransitionDate": TEXT,
                                },
                                "StorageClass",
                            )
                        ),
                    },
                    "Status",
                )
            )
        },
        "Rules",
    ),
}
"""The properties that are each put by one operation."""


class Setting(NamedTuple):
    """How one property is put, read and taken back: operations, and what they need.

    `compared` is what must be equal of what was put and of what is read.
    """

    put: str
    members: Callable[[Any], Made]
    get: str
    compared: Callable[[Made], Any]
    remove: str
    removal: Callable[[], Made] = dict


def _kept(given: Props, names: Mapping[str, str]) -> Made:
    return {to: given[name] for name, to in names.items() if name in given}


def _cors(given: Any) -> Made:
    names = {
        "Id": "ID",
        "AllowedHeaders": "AllowedHeaders",
        "AllowedMethods": "AllowedMethods",
        "AllowedOrigins": "AllowedOrigins",
        "ExposedHeaders": "ExposeHeaders",
        "MaxAge": "MaxAgeSeconds",
    }
    return {"CORSConfiguration": {"CORSRules": [_kept(one, names) for one in given["CorsRules"]]}}


def _website(given: Any) -> Made:
    made: Made = {}
    if "IndexDocument" in given:
        made["IndexDocument"] = {"Suffix": given["IndexDocument"]}
    if "ErrorDocument" in given:
        made["ErrorDocument"] = {"Key": given["ErrorDocument"]}
    if "RedirectAllRequestsTo" in given:
        made["RedirectAllRequestsTo"] = dict(given["RedirectAllRequestsTo"])
    if "RoutingRules" in given:
        made["RoutingRules"] = [
            {
                "Redirect": dict(rule["RedirectRule"]),
                **(
                    {"Condition": dict(rule["RoutingRuleCondition"])}
                    if "RoutingRuleCondition" in rule
                    else {}
                ),
            }
            for rule in given["RoutingRules"]
        ]
    return {"WebsiteConfiguration": made}


def _logging(given: Any) -> Made:
    enabled = {
        "TargetBucket": given["DestinationBucketName"],
        "TargetPrefix": given.get("LogFilePrefix", ""),
    }
    if "TargetObjectKeyFormat" in given:
        enabled["TargetObjectKeyFormat"] = {
            name: dict(value) for name, value in given["TargetObjectKeyFormat"].items()
        }
    return {"BucketLoggingStatus": {"LoggingEnabled": enabled}}


def _notification(given: Any) -> Made:
    made: Made = {}
    for name, member, to, arn in (
        ("LambdaConfigurations", "Function", "LambdaFunctionConfigurations", "LambdaFunctionArn"),
        ("QueueConfigurations", "Queue", "QueueConfigurations", "QueueArn"),
    ):
        made[to] = [
            {
                arn: one[member],
                "Events": [one["Event"]],
                **(
                    {
                        "Filter": {
                            "Key": {
                                "FilterRules": [
                                    dict(rule)
                                    for rule in one["Filter"].get("S3Key", {}).get("Rules", [])
                                ]
                            }
                        }
                    }
                    if "Filter" in one
                    else {}
                ),
            }
            for one in given.get(name, [])
        ]
    return {"NotificationConfiguration": {name: value for name, value in made.items() if value}}


def _lock(given: Any) -> Made:
    made: Made = {"ObjectLockEnabled": given.get("ObjectLockEnabled", "Enabled")}
    if "Rule" in given:
        default = given["Rule"].get("DefaultRetention", {})
        made["Rule"] = {"DefaultRetention": dict(default)}
    return {"ObjectLockConfiguration": made}


def _lifecycle(given: Any) -> Made:
    rules = [_rule(rule) for rule in given["Rules"]]
    return {"LifecycleConfiguration": {"Rules": rules}}


def _rule(rule: Props) -> Made:
    expiration = _kept(
        rule,
        {
            "ExpirationInDays": "Days",
            "ExpirationDate": "Date",
            "ExpiredObjectDeleteMarker": "ExpiredObjectDeleteMarker",
        },
    )
    made: Made = {"Status": rule["Status"], "Filter": _filter(rule)}
    if "Id" in rule:
        made["ID"] = rule["Id"]
    if expiration:
        made["Expiration"] = expiration
    if "NoncurrentVersionExpiration" in rule:
        made["NoncurrentVersionExpiration"] = dict(rule["NoncurrentVersionExpiration"])
    elif "NoncurrentVersionExpirationInDays" in rule:
        days = rule["NoncurrentVersionExpirationInDays"]
        made["NoncurrentVersionExpiration"] = {"NoncurrentDays": days}
    if "AbortIncompleteMultipartUpload" in rule:
        made["AbortIncompleteMultipartUpload"] = dict(rule["AbortIncompleteMultipartUpload"])
    if "Transitions" in rule:
        names = {"StorageClass": "StorageClass", "TransitionInDays": "Days"}
        made["Transitions"] = [
            _kept(one, names | {"TransitionDate": "Date"}) for one in rule["Transitions"]
        ]
    return made


def _filter(rule: Props) -> Made:
    parts: Made = {}
    if rule.get("Prefix"):
        parts["Prefix"] = rule["Prefix"]
    for name in ("ObjectSizeGreaterThan", "ObjectSizeLessThan"):
        if name in rule:
            parts[name] = int(rule[name])
    tags = [dict(tag) for tag in rule.get("TagFilters", [])]
    if len(parts) + len(tags) > 1:
        return {"And": {**parts, **({"Tags": tags} if tags else {})}}
    if tags:
        return {"Tag": tags[0]}
    return parts or {"Prefix": ""}


def _no_logging() -> Made:
    return {"BucketLoggingStatus": {}}


def _no_notification() -> Made:
    return {"NotificationConfiguration": {}}


def _no_default_retention() -> Made:
    return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}


def _without_ids(found: Made) -> Made:
    return {
        name: [{key: value for key, value in entry.items() if key != "Id"} for entry in found[name]]
        for name in ("LambdaFunctionConfigurations", "QueueConfigurations")
        if found.get(name)
    }


SETTINGS = {
    "CorsConfiguration": Setting(
        "PutBucketCors", _cors, "GetBucketCors", itemgetter("CORSRules"), "DeleteBucketCors"
    ),
    "WebsiteConfiguration": Setting(
        "PutBucketWebsite", _website, "GetBucketWebsite", dict, "DeleteBucketWebsite"
    ),
    "LifecycleConfiguration": Setting(
        "PutBucketLifecycleConfiguration",
        _lifecycle,
        "GetBucketLifecycleConfiguration",
        lambda found: check_rules(found["Rules"]),
        "DeleteBucketLifecycle",
    ),
    "LoggingConfiguration": Setting(
        "PutBucketLogging",
        _logging,
        "GetBucketLogging",
        lambda found: found.get("LoggingEnabled"),
        "PutBucketLogging",
        _no_logging,
    ),
    "NotificationConfiguration": Setting(
        "PutBucketNotificationConfiguration",
        _notification,
        "GetBucketNotificationConfiguration",
        _without_ids,
        "PutBucketNotificationConfiguration",
        _no_notification,
    ),
    "ObjectLockConfiguration": Setting(
        "PutObjectLockConfiguration",
        _lock,
        "GetObjectLockConfiguration",
        lambda found: found.get("ObjectLockConfiguration", found),
        "PutObjectLockConfiguration",
        _no_default_retention,
    ),
}
