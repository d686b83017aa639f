"""Filters on log groups: those that measure events, and those that send them to functions."""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope, parse_arn
from cumulet.kit.pages import make_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cloudwatch import store
from cumulet.services.cloudwatch.errors import (
    InvalidParameterException,
    LimitExceededException,
    ResourceNotFoundException,
    no_group,
)
from cumulet.services.cloudwatch.limits import (
    DESCRIBE_MAX,
    FILTER_DIMENSIONS_MAX,
    METRIC_FILTERS_MAX,
    SUBSCRIPTION_FILTERS_MAX,
)
from cumulet.services.cloudwatch.logs.extracting import is_selector, selectors_of, values_in
from cumulet.services.cloudwatch.logs.subscribing import SubscriptionDeliveries
from cumulet.services.cloudwatch.model import Group, MetricFilter, SubscriptionFilter, group_arn
from cumulet.services.cloudwatch.operations.log_group import group_resource, read_position
from cumulet.services.cloudwatch.operations.log_search import read_pattern

Request = dict[str, Any]

_NOT_HERE = (
    "applyOnTransformedLogs",
    "fieldSelectionCriteria",
    "emitSystemFieldDimensions",
    "emitSystemFields",
)
_PAGE = 500


@operation("PutMetricFilter", resource=group_resource)
async def put_metric_filter(ctx: Context, request: Request) -> None:
    """Measure the events of a group that match a pattern, from now on."""
    _refuse(request)
    read_pattern(request["filterPattern"])
    (told,) = request["metricTransformations"]
    _check_transformation(request["filterPattern"], told)

    async def write(tx: Transaction, scope: Scope) -> None:
        group = await _group(tx, scope, request)
        there = {one.name for one in await store.load_metric_filters(tx, scope, group.uid)}
        if request["filterName"] not in there and len(there) >= METRIC_FILTERS_MAX:
            raise LimitExceededException("Resource limit exceeded.")
        made = MetricFilter(
            group.uid, request["filterName"], group.name, request["filterPattern"], told,
            int(ctx.clock.now() * 1_000),
        )  # fmt: skip
        await store.METRIC_FILTERS.save(tx, scope, made)

    await ctx.transact(write)


def _refuse(request: Request) -> None:
    for name in _NOT_HERE:
        if request.get(name):
            raise InvalidParameterException(f"{name} is not supported by Cumulet.")


def _check_transformation(pattern: str, told: Request) -> None:
    value, dimensions = told["metricValue"], told.get("dimensions") or {}
    if dimensions and told.get("defaultValue") is not None:
        raise InvalidParameterException(
            "Invalid metric transformation: dimensions and default value are mutually exclusive "
            "properties."
        )
    if len(dimensions) > FILTER_DIMENSIONS_MAX:
        raise InvalidParameterException("A metric filter can have at most 3 dimensions.")
    if told["metricNamespace"].startswith("AWS/"):
        raise InvalidParameterException("The namespace of a metric must not begin with AWS/.")
    if not is_selector(value):
        try:
            float(value)
        except ValueError:
            raise InvalidParameterException(
                f"Invalid metricValue: {value} is neither a number nor a field."
            ) from None
    named = [one for one in (value, *dimensions.values()) if is_selector(one)]
    if any(not is_selector(one) for one in dimensions.values()):
        raise InvalidParameterException("The values of dimensions must be fields of the pattern.")
    if named and not pattern.strip().startswith(("{", "[")):
        raise InvalidParameterException(
            "Fields can be used with JSON and space-delimited patterns only."
        )
    if pattern.strip().startswith("[") and not set(named) <= set(selectors_of(pattern)):
        raise InvalidParameterException("The metric filter names a field that its pattern lacks.")


async def _group(tx: Transaction, scope: Scope, request: Request) -> Group:
    group = await store.load_group(tx, scope, request["logGroupName"])
    if group is None:
        raise no_group()
    return group


@operation("DescribeMetricFilters", resource=group_resource)
async def describe_metric_filters(ctx: Context, request: Request) -> Request:
    """The metric filters of a group, or of all groups, or those of one metric."""
    prefix = request.get("filterNamePrefix") or ""
    if prefix and not request.get("logGroupName"):
        raise InvalidParameterException("filterNamePrefix needs logGroupName.")

    async def read(tx: Transaction, scope: Scope) -> list[MetricFilter]:
        if request.get("logGroupName"):
            group = await _group(tx, scope, request)
            return await store.load_metric_filters(tx, scope, group.uid)
        found: list[MetricFilter] = []
        after: tuple[str, str] | None = None
        while page := await store.METRIC_FILTERS.scan(tx, scope, limit=_PAGE, after=after):
            found += page
            after = (page[-1].group_uid, page[-1].name)
        return found

    found = [
        one
        for one in await ctx.transact(read)
        if one.name.startswith(prefix)
        and request.get("metricName") in (None, one.transformation["metricName"])
        and request.get("metricNamespace") in (None, one.transformation["metricNamespace"])
    ]
    shown = [_shown_metric_filter(one) for one in sorted(found, key=lambda one: one.name)]
    return _paged("metricFilters", shown, request)


def _paged(key: str, shown: list[Request], request: Request) -> Request:
    begin = read_position(request.get("nextToken")) or 0
    if not isinstance(begin, int):
        raise InvalidParameterException("The specified nextToken is invalid.")
    end = begin + request.get("limit", DESCRIBE_MAX)
    answer: Request = {key: shown[begin:end]}
    if end < len(shown):
        answer["nextToken"] = make_token(end)
    return answer


def _shown_metric_filter(one: MetricFilter) -> Request:
    return {
        "filterName": one.name,
        "filterPattern": one.pattern,
        "metricTransformations": [one.transformation],
        "creationTime": one.created_ms,
        "logGroupName": one.group,
        "applyOnTransformedLogs": False,
    }


@operation("DeleteMetricFilter", resource=group_resource)
async def delete_metric_filter(ctx: Context, request: Request) -> None:
    """Measure no longer."""

    async def drop(tx: Transaction, scope: Scope) -> bool:
        group = await _group(tx, scope, request)
        name = request["filterName"]
        return await store.METRIC_FILTERS.drop(tx, scope, group.uid, name) is not None

    if not await ctx.transact(drop):
        raise ResourceNotFoundException("The specified metric filter does not exist.")


@operation("TestMetricFilter")
async def test_metric_filter(ctx: Context, request: Request) -> Request:
    """Which of some messages a pattern matches, and what it finds in them."""
    pattern = request["filterPattern"]
    matches, selectors = read_pattern(pattern), selectors_of(pattern)
    return {
        "matches": [
            {
                "eventNumber": number,
                "eventMessage": message,
                "extractedValues": values_in(pattern, selectors, message),
            }
            for number, message in enumerate(request["logEventMessages"], 1)
            if matches(message)
        ]
    }


@operation("PutSubscriptionFilter", resource=group_resource)
async def put_subscription_filter(ctx: Context, request: Request) -> None:
    """Send the events of a group that match a pattern to a function, from now on."""
    _refuse(request)
    read_pattern(request["filterPattern"])
    arn = parse_arn(request["destinationArn"])
    if arn is None or arn.service != "lambda" or not arn.resource.startswith("function:"):
        raise InvalidParameterException(
            f"The destination {request['destinationArn']} is not supported by Cumulet. "
            "Subscription filters send to Lambda functions."
        )
    if request["logGroupName"] == f"/aws/lambda/{arn.resource.split(':')[1]}":
        raise InvalidParameterException(
            "A function cannot be subscribed to its own log group: each of its invocations would "
            "cause the next."
        )
    await _try_out(ctx, request)

    async def write(tx: Transaction, scope: Scope) -> None:
        group = await _group(tx, scope, request)
        there = {one.name for one in await store.load_subscriptions(tx, scope, group.uid)}
        if request["filterName"] not in there and len(there) >= SUBSCRIPTION_FILTERS_MAX:
            raise LimitExceededException("Resource limit exceeded.")
        made = SubscriptionFilter(
            group.uid, request["filterName"], group.name, request["filterPattern"],
            request["destinationArn"], int(ctx.clock.now() * 1_000),
        )  # fmt: skip
        await store.SUBSCRIPTIONS.save(tx, scope, made)

    await ctx.transact(write)


async def _try_out(ctx: Context, request: Request) -> None:
    """Raises InvalidParameterException unless the function would be invoked."""
    deliveries = ctx.need(SubscriptionDeliveries)
    group = group_arn(ctx.scope, request["logGroupName"])
    function = request["destinationArn"]
    try:
        await deliveries.sender(ctx.scope, group, function).call(
            "lambda", "Invoke", FunctionName=function, InvocationType="DryRun"
        )
    except AwsError:
        raise InvalidParameterException(
            "Could not execute the lambda function. Make sure you have given CloudWatch Logs "
            "permission to execute your function."
        ) from None


@operation("DescribeSubscriptionFilters", resource=group_resource)
async def describe_subscription_filters(ctx: Context, request: Request) -> Request:
    """The subscription filters of a group."""
    prefix = request.get("filterNamePrefix") or ""

    async def read(tx: Transaction, scope: Scope) -> list[SubscriptionFilter]:
        return await store.load_subscriptions(tx, scope, (await _group(tx, scope, request)).uid)

    shown = [
        {
            "filterName": one.name,
            "logGroupName": one.group,
            "filterPattern": one.pattern,
            "destinationArn": one.destination,
            "distribution": "ByLogStream",
            "applyOnTransformedLogs": False,
            "creationTime": one.created_ms,
        }
        for one in await ctx.transact(read)
        if one.name.startswith(prefix)
    ]
    return _paged("subscriptionFilters", shown, request)


@operation("DeleteSubscriptionFilter", resource=group_resource)
async def delete_subscription_filter(ctx: Context, request: Request) -> None:
    """Send no longer."""

    async def drop(tx: Transaction, scope: Scope) -> bool:
        group = await _group(tx, scope, request)
        name = request["filterName"]
        return await store.SUBSCRIPTIONS.drop(tx, scope, group.uid, name) is not None

    if not await ctx.transact(drop):
        raise ResourceNotFoundException("The specified subscription filter does not exist.")
