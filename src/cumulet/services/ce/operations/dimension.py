"""Which values a dimension has in a time."""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.service import operation
from cumulet.services.ce.asking import VALUES, parse_filter, parse_period
from cumulet.services.ce.errors import InvalidNextTokenException, ValidationException
from cumulet.services.ce.limits import SEARCH_VALUES_MAX
from cumulet.services.ce.model import day_at
from cumulet.services.ce.operations.cost import lines_of

Request = dict[str, Any]


@operation("GetDimensionValues")
async def get_dimension_values(ctx: Context, request: Request) -> dict[str, Any]:
    """The values that were used in a time, in alphabetical order.

    https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetDimensionValues.html
    """
    context = request.get("Context", "COST_AND_USAGE")
    if context != "COST_AND_USAGE":
        raise ValidationException(f"Context {context} is not supported by Cumulet.")
    if request.get("SortBy"):
        raise ValidationException("SortBy is not supported by Cumulet.")
    dimension = request["Dimension"]
    if dimension not in VALUES:
        raise ValidationException(f"Dimension {dimension} is not supported by Cumulet.")
    today = day_at(ctx.clock.now())
    period = parse_period(request["TimePeriod"], "DAILY", today)
    test = parse_filter(request.get("Filter"), by_resource=True)
    wanted = (request.get("SearchString") or "").casefold()
    value = VALUES[dimension]
    found = sorted({value(line) async for line in lines_of(ctx, period, test)})
    found = [one for one in found if wanted in one.casefold()]
    begin = _position(request.get("NextPageToken"))
    most = min(request.get("MaxResults") or SEARCH_VALUES_MAX, SEARCH_VALUES_MAX)
    page = found[begin : begin + most]
    answer: dict[str, Any] = {
        "DimensionValues": [{"Value": one, "Attributes": {}} for one in page],
        "ReturnSize": len(page),
        "TotalSize": len(found),
    }
    if begin + most < len(found):
        answer["NextPageToken"] = make_token([begin + most])
    return answer


def _position(token: str | None) -> int:
    if not token:
        return 0
    try:
        (position,) = read_token(token)
    except (ValueError, TypeError):
        raise InvalidNextTokenException("Invalid next page token.") from None
    if not isinstance(position, int) or position < 0:
        raise InvalidNextTokenException("Invalid next page token.")
    return position
