"""CloudFormation types of SQS.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SQS.html
"""

from __future__ import annotations

import json
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    FLAG,
    JSON,
    NUMBER,
    TAGS,
    TEXT,
    Draft,
    Props,
    Provisioned,
    ResourceType,
    list_of,
    struct,
)
from cumulet.services.sqs.model import queue_arn

_NUMBERS = (
    "DelaySeconds",
    "KmsDataKeyReusePeriodSeconds",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "VisibilityTimeout",
)
_TEXTS = ("DeduplicationScope", "FifoThroughputLimit", "KmsMasterKeyId")
_FLAGS = ("ContentBasedDeduplication", "FifoQueue", "SqsManagedSseEnabled")
_DOCUMENTS = ("RedrivePolicy", "RedriveAllowPolicy")
_DEFAULTS = {
    "DelaySeconds": "0",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "VisibilityTimeout": "30",
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
    "SqsManagedSseEnabled": "true",
    "KmsDataKeyReusePeriodSeconds": "300",
}
_STACK_TAG = "aws:cloudformation:stack-id"
_LOGICAL_TAG = "aws:cloudformation:logical-id"


def _attributes(props: Props) -> dict[str, str]:
    """The properties as the operations take them: everything is text."""
    texts = {name: str(props[name]) for name in (*_NUMBERS, *_TEXTS) if name in props}
    flags = {name: "true" if props[name] else "false" for name in _FLAGS if name in props}
    documents = {name: json.dumps(props[name]) for name in _DOCUMENTS if name in props}
    given = {**texts, **flags, **documents}
    if given.get("FifoQueue") == "false":
        del given["FifoQueue"]  # A standard queue does not know the attribute.
    return given


def _tags(props: Props) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in props.get("Tags", [])}


def _made(ctx: Context, url: str) -> Provisioned:
    name = url.rpartition("/")[2]
    arn = queue_arn(ctx.scope, name)
    return Provisioned(url, {"Arn": arn, "QueueName": name, "QueueUrl": url})


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    suffix = ".fifo" if props.get("FifoQueue") else ""
    name = props.get("QueueName") or draft.name(80 - len(suffix)) + suffix
    own = {_STACK_TAG: draft.stack_id, _LOGICAL_TAG: draft.logical_id}
    if "QueueName" in props:
        await _refuse_taken(ctx, name, own)
    made = await ctx.call(
        "sqs",
        "CreateQueue",
        QueueName=name,
        Attributes=_attributes(props),
        tags={**_tags(props), **own},
    )
    return _made(ctx, made["QueueUrl"])


async def _refuse_taken(ctx: Context, name: str, own: dict[str, str]) -> None:
    """A queue of that name is only taken over when an earlier try of this stack made it."""
    try:
        url = (await ctx.call("sqs", "GetQueueUrl", QueueName=name))["QueueUrl"]
        tags = (await ctx.call("sqs", "ListQueueTags", QueueUrl=url)).get("Tags", {})
    except AwsError as error:
        if error.code == "QueueDoesNotExist":
            return
        raise
    if any(tags.get(key) != value for key, value in own.items()):
        raise AwsError(f"{name} already exists", code="AlreadyExists")


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    before, after = _attributes(old), _attributes(new)
    gone = {name: _DEFAULTS.get(name, "") for name in before if name not in after}
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    if gone or changed:
        await ctx.call(
            "sqs", "SetQueueAttributes", QueueUrl=physical_id, Attributes={**gone, **changed}
        )
    had, has = _tags(old), _tags(new)
    if removed := [key for key in had if key not in has]:
        await ctx.call("sqs", "UntagQueue", QueueUrl=physical_id, TagKeys=removed)
    if has and has != had:
        await ctx.call("sqs", "TagQueue", QueueUrl=physical_id, Tags=has)
    return _made(ctx, physical_id)


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    try:
        await ctx.call("sqs", "DeleteQueue", QueueUrl=physical_id)
    except AwsError as error:
        if error.code != "QueueDoesNotExist":
            raise


async def _read(ctx: Context, physical_id: str, props: Props) -> Props | None:
    try:
        found = await ctx.call(
            "sqs", "GetQueueAttributes", QueueUrl=physical_id, AttributeNames=["All"]
        )
        tags = (await ctx.call("sqs", "ListQueueTags", QueueUrl=physical_id)).get("Tags", {})
    except AwsError as error:
        if error.code == "QueueDoesNotExist":
            return None
        raise
    attributes = found["Attributes"]
    live: dict[str, Any] = {"QueueName": physical_id.rpartition("/")[2]}
    live |= {name: int(attributes[name]) for name in _NUMBERS if name in attributes}
    live |= {name: attributes[name] for name in _TEXTS if name in attributes}
    live |= {name: attributes[name] == "true" for name in _FLAGS if name in attributes}
    live |= {name: json.loads(attributes[name]) for name in _DOCUMENTS if name in attributes}
    own = {key: value for key, value in tags.items() if not key.startswith("aws:")}
    live["Tags"] = [{"Key": key, "Value": value} for key, value in own.items()]
    return live


async def _set_policies(ctx: Context, urls: list[str], document: Any) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    for url in urls:
        await ctx.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"Policy": text})


async def _remove_policies(ctx: Context, urls: list[str]) -> None:
    for url in urls:
        try:
            await ctx.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"Policy": ""})
        except AwsError as error:
            if error.code != "QueueDoesNotExist":
                raise


async def _create_policy(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    await _set_policies(ctx, props["Queues"], props["PolicyDocument"])
    name = draft.name(64)
    return Provisioned(name, {"Id": name})


async def _update_policy(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    await _set_policies(ctx, new["Queues"], new["PolicyDocument"])
    await _remove_policies(ctx, [url for url in old["Queues"] if url not in new["Queues"]])
    return Provisioned(physical_id, {"Id": physical_id})


async def _delete_policy(ctx: Context, physical_id: str, props: Props) -> None:
    await _remove_policies(ctx, props["Queues"])


async def _create_inline(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    await _set_policies(ctx, [props["Queue"]], props["PolicyDocument"])
    return Provisioned(props["Queue"])


async def _update_inline(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    await _set_policies(ctx, [physical_id], new["PolicyDocument"])
    return Provisioned(physical_id)


async def _delete_inline(ctx: Context, physical_id: str, props: Props) -> None:
    await _remove_policies(ctx, [physical_id])


RESOURCES = (
    ResourceType(
        "AWS::SQS::Queue",
        struct(
            {
                "QueueName": TEXT,
                **dict.fromkeys(_NUMBERS, NUMBER),
                **dict.fromkeys(_TEXTS, TEXT),
                **dict.fromkeys(_FLAGS, FLAG),
                **dict.fromkeys(_DOCUMENTS, JSON),
                "Tags": TAGS,
            }
        ),
        create=_create,
        update=_update,
        delete=_delete,
        read=_read,
        replace_on=frozenset({"QueueName", "FifoQueue"}),
        attributes=frozenset({"Arn", "QueueName", "QueueUrl"}),
    ),
    ResourceType(
        "AWS::SQS::QueuePolicy",
        struct({"PolicyDocument": JSON, "Queues": list_of(TEXT)}, "PolicyDocument", "Queues"),
        create=_create_policy,
        update=_update_policy,
        delete=_delete_policy,
        attributes=frozenset({"Id"}),
    ),
    ResourceType(
        "AWS::SQS::QueueInlinePolicy",
        struct({"PolicyDocument": JSON, "Queue": TEXT}, "PolicyDocument", "Queue"),
        create=_create_inline,
        update=_update_inline,
        delete=_delete_inline,
        replace_on=frozenset({"Queue"}),
    ),
)
