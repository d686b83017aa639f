"""What went wrong on our side is told as AWS tells it, in the API's own form, and not in detail."""

from __future__ import annotations

import pytest
from tests.gateway.cast import method, stage_of

from cumulet.core.errors import ServiceUnavailable

STAGE = stage_of({"/": [method("GET")]})


@pytest.mark.parametrize("cause", [RuntimeError("secret"), KeyError("secret")])
def test_a_mistake_of_ours_is_an_internal_server_error(play, cause):
    def fail(*_):
        return cause

    played = play(STAGE, answers=fail)
    assert (played.response.status, played.body) == (500, {"message": "Internal server error"})
    assert played.headers["x-amzn-errortype"] == "InternalServerErrorException"


def test_a_service_that_is_not_available_is_a_bad_gateway(play):
    played = play(STAGE, answers=lambda *_: ServiceUnavailable("secret"))
    assert (played.response.status, played.body) == (502, {"message": "Internal server error"})
