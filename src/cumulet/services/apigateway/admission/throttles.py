"""The rates that a request is held to, from the narrowest to the account's.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
"""

from __future__ import annotations

from cumulet.core.identity import Scope
from cumulet.services.apigateway.admission.buckets import Rate
from cumulet.services.apigateway.admission.limits import ACCOUNT_BURST, ACCOUNT_RATE


def account_rate(scope: Scope) -> Rate:
    """What all APIs of an account in a region share, whatever their kind."""
    return Rate(("account", *scope), ACCOUNT_RATE, ACCOUNT_BURST)


def stage_rates(
    scope: Scope, api_id: str, stage: str, route: str, rate: float, burst: int
) -> tuple[Rate, ...]:
    """The rate of one route of a stage, then the account's; a negative number means no limit.

    A route that may do all that its account may is not counted by itself.
    """
    account = account_rate(scope)
    if rate < 0 or burst < 0 or (rate >= ACCOUNT_RATE and burst >= ACCOUNT_BURST):
        return (account,)
    return (Rate(("stage", *scope, api_id, stage, route), rate, burst), account)
