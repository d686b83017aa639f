"""Who and what may pass, as it is kept: authorizers, API keys, usage plans and what was used.

A struct's fields are AWS's members in snake case, as in the REST APIs' own model.
"""

from __future__ import annotations

import msgspec


class Authorizer(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Who decides on the callers of a REST API's methods. `api_id` is never shown."""

    api_id: str
    id: str
    name: str
    type: str
    auth_type: str | None = None
    provider_arns: tuple[str, ...] | None = msgspec.field(default=None, name="providerARNs")
    authorizer_uri: str | None = None
    authorizer_credentials: str | None = None
    identity_source: str | None = None
    identity_validation_expression: str | None = None
    authorizer_result_ttl_in_seconds: int | None = None


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A key that callers send. Its value is kept sealed, and found by its digest.

    Dates are in epoch seconds; `stage_keys` are of the time before usage plans.
    """

    id: str
    sealed: bytes
    digest: str
    enabled: bool
    created_date: float
    last_updated_date: float
    name: str | None = None
    description: str | None = None
    customer_id: str | None = None
    stage_keys: tuple[str, ...] = ()
    tags: dict[str, str] | None = None
    origin: str | None = None
    """What made the key, for a creation that is run again; never shown."""


class Throttle(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Requests a second on average, and at once."""

    burst_limit: int = 0
    rate_limit: float = 0.0


class Quota(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How many requests of each key pass in a period.

    `offset` is the day on which a week (from Monday) or a month begins, counted from 0.
    """

    limit: int
    offset: int
    period: str


class PlanStage(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A stage that a plan's keys open, with throttles by `/path/METHOD`."""

    api_id: str
    stage: str
    throttle: dict[str, Throttle] | None = None


class UsagePlan(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What the holders of some keys may use, and how much of it."""

    id: str
    name: str
    description: str | None = None
    api_stages: tuple[PlanStage, ...] = ()
    throttle: Throttle | None = None
    quota: Quota | None = None
    product_code: str | None = None
    tags: dict[str, str] | None = None
    origin: str | None = None
    """What made the plan, for a creation that is run again; never shown."""


class PlanKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that is in a plan."""

    plan_id: str
    key_id: str


class DayUse(msgspec.Struct, frozen=True, kw_only=True):
    """What one key used of one plan on one day (`2026-01-31`, UTC).

    `remaining` is what was left of the period's quota then, None without a quota.
    """

    plan_id: str
    key_id: str
    day: str
    used: int
    remaining: int | None = None


class PeriodUse(msgspec.Struct, frozen=True, kw_only=True):
    """What of a key's quota in a plan counts as used in the period that began on the day `begin`.

    Less than nothing is used when more was granted by hand than the quota's limit.
    """

    plan_id: str
    key_id: str
    begin: str
    used: int
