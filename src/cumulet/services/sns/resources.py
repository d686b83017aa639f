"""CloudFormation types of SNS.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SNS.html
"""

from __future__ import annotations

import json
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    FLAG,
    JSON,
    TAGS,
    TEXT,
    Draft,
    Props,
    Provisioned,
    ResourceType,
    list_of,
    struct,
)
from cumulet.services.sns.model import topic_arn

_TEXTS = ("DisplayName", "KmsMasterKeyId", "SignatureVersion", "TracingConfig")
_FLAGS = ("ContentBasedDeduplication", "FifoTopic")
_DEFAULTS = {
    "SignatureVersion": "1",
    "TracingConfig": "PassThrough",
    "ContentBasedDeduplication": "false",
    "FifoThroughputScope": "Topic",
}
_STACK_TAG = "aws:cloudformation:stack-id"
_LOGICAL_TAG = "aws:cloudformation:logical-id"
_NAME_CHARACTERS_MAX = 256


def _attributes(props: Props) -> dict[str, str]:
    """The properties of a topic as the operations take them: everything is text."""
    given = {name: props[name] for name in (*_TEXTS, "FifoThroughputScope") if name in props}
    if "DeliveryPolicy" in props:
        given["DeliveryPolicy"] = json.dumps(props["DeliveryPolicy"])
    return given | {name: str(props[name]).lower() for name in _FLAGS if props.get(name)}


def _tags(props: Props) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in props.get("Tags", [])}


def _told(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _topic(arn: str) -> Provisioned:
    return Provisioned(arn, {"TopicArn": arn, "TopicName": arn.rpartition(":")[2]})


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    suffix = ".fifo" if props.get("FifoTopic") else ""
    room = _NAME_CHARACTERS_MAX - len(suffix)
    name = props.get("TopicName") or draft.name(room) + suffix
    own = {_STACK_TAG: draft.stack_id, _LOGICAL_TAG: draft.logical_id}
    if "TopicName" in props:
        await _refuse_taken(ctx, name, own)
    made = await ctx.call(
        "sns",
        "CreateTopic",
        Name=name,
        Attributes=_attributes(props),
        Tags=_told({**_tags(props), **own}),
    )
    await _subscribe_all(ctx, made["TopicArn"], props)
    return _topic(made["TopicArn"])


async def _subscribe_all(ctx: Context, arn: str, props: Props) -> None:
    for one in props.get("Subscription", []):
        await ctx.call(
            "sns", "Subscribe", TopicArn=arn, Protocol=one["Protocol"], Endpoint=one["Endpoint"]
        )


async def _refuse_taken(ctx: Context, name: str, own: dict[str, str]) -> None:
    """A topic of that name is only taken over when an earlier try of this stack made it."""
    try:
        found = await ctx.call("sns", "ListTagsForResource", ResourceArn=topic_arn(ctx.scope, name))
    except AwsError as error:
        if _is_gone(error):
            return
        raise
    tags = {tag["Key"]: tag["Value"] for tag in found["Tags"]}
    if any(tags.get(key) != value for key, value in own.items()):
        raise AwsError(f"{name} already exists", code="AlreadyExists")


def _is_gone(error: AwsError) -> bool:
    return error.code in ("NotFoundException", "ResourceNotFoundException")


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    before, after = _attributes(old), _attributes(new)
    gone = {name: _DEFAULTS.get(name, "") for name in before if name not in after}
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    for name, value in {**gone, **changed}.items():
        await ctx.call(
            "sns",
            "SetTopicAttributes",
            TopicArn=physical_id,
            AttributeName=name,
            AttributeValue=value,
        )
    had, has = _tags(old), _tags(new)
    if removed := [key for key in had if key not in has]:
        await ctx.call("sns", "UntagResource", ResourceArn=physical_id, TagKeys=removed)
    if has and has != had:
        await ctx.call("sns", "TagResource", ResourceArn=physical_id, Tags=_told(has))
    if old.get("Subscription", []) != new.get("Subscription", []):
        await _unsubscribe_missing(ctx, physical_id, old, new)
        await _subscribe_all(ctx, physical_id, new)
    return _topic(physical_id)


async def _unsubscribe_missing(ctx: Context, arn: str, old: Props, new: Props) -> None:
    wanted = [(one["Protocol"], one["Endpoint"]) for one in new.get("Subscription", [])]
    had = [(one["Protocol"], one["Endpoint"]) for one in old.get("Subscription", [])]
    for one in await _subscriptions(ctx, arn):
        place = (one["Protocol"], one["Endpoint"])
        if place in had and place not in wanted and one["SubscriptionArn"].startswith("arn:"):
            await ctx.call("sns", "Unsubscribe", SubscriptionArn=one["SubscriptionArn"])


async def _subscriptions(ctx: Context, arn: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    more: dict[str, str] = {}
    while True:
        page = await ctx.call("sns", "ListSubscriptionsByTopic", TopicArn=arn, **more)
        found += page["Subscriptions"]
        if "NextToken" not in page:
            return found
        more = {"NextToken": page["NextToken"]}


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    await ctx.call("sns", "DeleteTopic", TopicArn=physical_id)


async def _read(ctx: Context, physical_id: str, props: Props) -> Props | None:
    try:
        found = await ctx.call("sns", "GetTopicAttributes", TopicArn=physical_id)
        tags = await ctx.call("sns", "ListTagsForResource", ResourceArn=physical_id)
    except AwsError as error:
        if _is_gone(error):
            return None
        raise
    attributes = found["Attributes"]
    live: dict[str, Any] = {"TopicName": physical_id.rpartition(":")[2]}
    live |= {name: attributes[name] for name in _TEXTS if attributes.get(name)}
    live |= {name: attributes[name] == "true" for name in _FLAGS if name in attributes}
    if attributes.get("DeliveryPolicy"):
        live["DeliveryPolicy"] = json.loads(attributes["DeliveryPolicy"])
    live["Tags"] = [tag for tag in tags["Tags"] if not tag["Key"].startswith("aws:")]
    return live


_SUBSCRIPTION_DOCUMENTS = ("FilterPolicy", "RedrivePolicy", "DeliveryPolicy")


def _subscription_attributes(props: Props) -> dict[str, str]:
    given = {name: json.dumps(props[name]) for name in _SUBSCRIPTION_DOCUMENTS if props.get(name)}
    if "RawMessageDelivery" in props:
        given["RawMessageDelivery"] = str(props["RawMessageDelivery"]).lower()
    if "FilterPolicyScope" in props:
        given["FilterPolicyScope"] = props["FilterPolicyScope"]
    return given


async def _create_subscription(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    made = await ctx.call(
        "sns",
        "Subscribe",
        TopicArn=props["TopicArn"],
        Protocol=props["Protocol"],
        Endpoint=props.get("Endpoint", ""),
        Attributes=_subscription_attributes(props),
        ReturnSubscriptionArn=True,
    )
    return Provisioned(made["SubscriptionArn"], {"Arn": made["SubscriptionArn"]})


async def _update_subscription(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    before, after = _subscription_attributes(old), _subscription_attributes(new)
    absent = {"RawMessageDelivery": "false", "FilterPolicyScope": "MessageAttributes"}
    gone = {name: absent.get(name, "") for name in before if name not in after}
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    # A filter of attributes is one of bodies too, so the wider scope goes with either.
    widens = after.get("FilterPolicyScope") == "MessageBody"
    order = sorted(
        {**gone, **changed}.items(), key=lambda one: (one[0] == "FilterPolicyScope") != widens
    )
    for name, value in order:
        await ctx.call(
            "sns",
            "SetSubscriptionAttributes",
            SubscriptionArn=physical_id,
            AttributeName=name,
            AttributeValue=value,
        )
    return Provisioned(physical_id, {"Arn": physical_id})


async def _delete_subscription(ctx: Context, physical_id: str, props: Props) -> None:
    try:
        await ctx.call("sns", "Unsubscribe", SubscriptionArn=physical_id)
    except AwsError as error:
        # One that was never confirmed goes away by itself.
        if not _is_gone(error) and "pending confirmation" not in error.message:
            raise


async def _read_subscription(ctx: Context, physical_id: str, props: Props) -> Props | None:
    try:
        found = await ctx.call("sns", "GetSubscriptionAttributes", SubscriptionArn=physical_id)
    except AwsError as error:
        if _is_gone(error):
            return None
        raise
    has = found["Attributes"]
    live: dict[str, Any] = {name: has[name] for name in ("TopicArn", "Protocol", "Endpoint")}
    live |= {name: json.loads(has[name]) for name in _SUBSCRIPTION_DOCUMENTS if name in has}
    if "RawMessageDelivery" in props:
        live["RawMessageDelivery"] = has["RawMessageDelivery"] == "true"
    if "FilterPolicyScope" in has and "FilterPolicyScope" in props:
        live["FilterPolicyScope"] = has["FilterPolicyScope"]
    return live


async def _set_policies(ctx: Context, topics: list[str], document: Any) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    for arn in topics:
        await ctx.call(
            "sns",
            "SetTopicAttributes",
            TopicArn=arn,
            AttributeName="Policy",
            AttributeValue=text,
        )


async def _remove_policies(ctx: Context, topics: list[str]) -> None:
    for arn in topics:
        try:
            await _set_policies(ctx, [arn], "")
        except AwsError as error:
            if not _is_gone(error):
                raise


async def _create_policy(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    await _set_policies(ctx, props["Topics"], props["PolicyDocument"])
    name = draft.name(64)
    return Provisioned(name, {"Id": name})


async def _update_policy(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    await _set_policies(ctx, new["Topics"], new["PolicyDocument"])
    await _remove_policies(ctx, [arn for arn in old["Topics"] if arn not in new["Topics"]])
    return Provisioned(physical_id, {"Id": physical_id})


async def _delete_policy(ctx: Context, physical_id: str, props: Props) -> None:
    await _remove_policies(ctx, props["Topics"])


async def _create_inline(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    await _set_policies(ctx, [props["TopicArn"]], props["PolicyDocument"])
    return Provisioned(props["TopicArn"])


async def _update_inline(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    await _set_policies(ctx, [physical_id], new["PolicyDocument"])
    return Provisioned(physical_id)


async def _delete_inline(ctx: Context, physical_id: str, props: Props) -> None:
    await _remove_policies(ctx, [physical_id])


RESOURCES = (
    ResourceType(
        "AWS::SNS::Topic",
        struct(
            {
                "TopicName": TEXT,
                **dict.fromkeys((*_TEXTS, "FifoThroughputScope"), TEXT),
                **dict.fromkeys(_FLAGS, FLAG),
                "DeliveryPolicy": JSON,
                "Subscription": list_of(
                    struct({"Endpoint": TEXT, "Protocol": TEXT}, "Endpoint", "Protocol")
                ),
                "Tags": TAGS,
            }
        ),
        create=_create,
        update=_update,
        delete=_delete,
        read=_read,
        replace_on=frozenset({"TopicName", "FifoTopic"}),
        attributes=frozenset({"TopicArn", "TopicName"}),
    ),
    ResourceType(
        "AWS::SNS::Subscription",
        struct(
            {
                **dict.fromkeys(("TopicArn", "Protocol", "Endpoint", "FilterPolicyScope"), TEXT),
                **dict.fromkeys(_SUBSCRIPTION_DOCUMENTS, JSON),
                "RawMessageDelivery": FLAG,
            },
            "TopicArn",
            "Protocol",
        ),
        create=_create_subscription,
        update=_update_subscription,
        delete=_delete_subscription,
        read=_read_subscription,
        replace_on=frozenset({"TopicArn", "Protocol", "Endpoint"}),
        attributes=frozenset({"Arn"}),
    ),
    ResourceType(
        "AWS::SNS::TopicPolicy",
        struct({"PolicyDocument": JSON, "Topics": list_of(TEXT)}, "PolicyDocument", "Topics"),
        create=_create_policy,
        update=_update_policy,
        delete=_delete_policy,
        attributes=frozenset({"Id"}),
    ),
    ResourceType(
        "AWS::SNS::TopicInlinePolicy",
        struct({"PolicyDocument": JSON, "TopicArn": TEXT}, "PolicyDocument", "TopicArn"),
        create=_create_inline,
        update=_update_inline,
        delete=_delete_inline,
        replace_on=frozenset({"TopicArn"}),
    ),
)
