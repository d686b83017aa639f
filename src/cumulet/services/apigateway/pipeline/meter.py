"""Third step: the API key, its usage plan's quota, and the throttles, from the narrowest on.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
"""

from __future__ import annotations

import msgspec

from cumulet.core.context import Platform
from cumulet.services.apigateway.admission.buckets import Buckets, Rate
from cumulet.services.apigateway.admission.usage.passes import NoPass, Pass, Passes
from cumulet.services.apigateway.admission.usage.quotas import Quotas
from cumulet.services.apigateway.pipeline.authorize import Authorized
from cumulet.services.apigateway.pipeline.faults import invalid_key, quota_exceeded, throttled
from cumulet.services.apigateway.pipeline.match import Matched


class UsedKey(msgspec.Struct, frozen=True):
    """The API key of a request: `value` as it was sent."""

    id: str
    value: str


class Metered(msgspec.Struct, frozen=True):
    """A request that is within its bounds. `key` is None where the method asks for none."""

    authorized: Authorized
    key: UsedKey | None


async def meter(platform: Platform, authorized: Authorized) -> Metered:
    """Count the request. Raises GatewayFault when it is one too many, or has no key for here.

    A request that a throttle refuses uses nothing of the quota.
    """
    matched = authorized.matched
    method = matched.method
    now = platform.clock.monotonic()
    if not method.api_key_required:
        refused = platform.need(Buckets).take_all(method.rates, now)
        if refused is not None:
            raise throttled(_cause(method.rates[refused]))
        return Metered(authorized, None)
    value = _key_value(authorized)
    found = await _pass_of(platform, matched, value)
    quotas = platform.need(Quotas)
    scope = matched.stage.scope
    if not await quotas.take(scope, found.plan_id, found.key_id, found.quota):
        raise quota_exceeded()
    rates = _rates(found, matched)
    refused = platform.need(Buckets).take_all(rates, now)
    if refused is not None:
        quotas.give_back(scope, found.plan_id, found.key_id)
        raise throttled(_cause(rates[refused]))
    return Metered(authorized, UsedKey(found.key_id, value))


def _key_value(authorized: Authorized) -> str:
    matched = authorized.matched
    if matched.stage.api_key_source == "AUTHORIZER":
        return authorized.usage_key
    return matched.arrival.request.headers.get("x-api-key")


async def _pass_of(platform: Platform, matched: Matched, value: str) -> Pass:
    if not value:
        raise invalid_key("the request has no API key")
    stage = matched.stage
    try:
        return await platform.need(Passes).find(stage.scope, stage.api_id, stage.stage_name, value)
    except NoPass as cause:
        raise invalid_key(str(cause)) from cause


def _rates(found: Pass, matched: Matched) -> list[Rate]:
    """Method of the plan, plan, method of the stage, account: AWS's order."""
    method = matched.method
    rates = []
    if found.method_rates:
        narrow = found.method_rates.get(method.route)
        if narrow is not None:
            rates.append(narrow)
    if found.rate is not None:
        rates.append(found.rate)
    rates += method.rates
    return rates


def _cause(rate: Rate) -> str:
    return f"over {rate.rate_per_second:g} requests a second, {rate.burst} at once: {rate.key}"
