"""The services of a graph: by what segments say of themselves, or of whom they called. Pure.

https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-inferredsegments
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]

_CALLED = {
    "dynamodb": ("DynamoDB", "table_name", "DynamoDB::Table"),
    "s3": ("S3", "bucket_name", "S3::Bucket"),
    "sqs": ("SQS", "queue_url", "SQS::Queue"),
    "sns": ("SNS", "topic_arn", "SNS"),
    "lambda": ("Lambda", "function_name", "Lambda"),
    "events": ("Events", "event_bus_name", "Events"),
}
"""How a called service is spelt, what names the resource, and the type of the node then."""

_HANDING_ON = frozenset(
    {"AWS::SQS::Queue", "AWS::SQS", "AWS::SNS", "AWS::S3::Bucket", "AWS::Events"}
)


def service_of(document: Document, account: str) -> Document:
    """The service that a segment is of, in AWS's spelling."""
    name, kind = node_of(document)
    return {"Name": name, "Names": [name], "AccountId": account, "Type": kind}


def node_of(document: Document) -> tuple[str, str]:
    """Name and type of the service that a segment is of, or that a subsegment called."""
    name, kind = str(document.get("name", "")), document.get("origin")
    if isinstance(kind, str):
        return name, kind
    if document.get("namespace") != "aws":
        return name, "remote" if document.get("namespace") else "client"
    called = _CALLED.get(name.lower())
    if called is None:
        return name, f"AWS::{name}"
    spelt, member, kind = called
    about = document.get("aws")
    resource = about.get(member) if isinstance(about, dict) else None
    if isinstance(resource, str) and resource:
        return resource, f"AWS::{kind}"
    return spelt, f"AWS::{spelt}"


def hands_on(document: Document) -> bool:
    """Whether what was called keeps things for others: they are called by it, not by the caller."""
    return document.get("namespace") == "aws" and node_of(document)[1] in _HANDING_ON
