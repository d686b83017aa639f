from __future__ import annotations

from typing import Any

import pytest

from cumulet.services.lambda_.errors import InvalidParameterValueException
from cumulet.services.lambda_.forms.settings import (
    check_layer_arns,
    check_variables,
    merge_settings,
)
from cumulet.services.lambda_.model import Logging, Settings

OLD = Settings("python3.12", "arn:role", "index.handler", Logging("/aws/lambda/f"))


def test_what_a_request_leaves_out_stays() -> None:
    new = merge_settings(OLD, {"Timeout": 9, "Description": ""})
    assert new.timeout_seconds == 9
    assert merge_settings(new, {}) == new


def test_json_logs_get_levels_and_text_loses_them() -> None:
    json_logs = merge_settings(OLD, {"LoggingConfig": {"LogFormat": "JSON"}}).logging
    assert json_logs == Logging("/aws/lambda/f", "JSON", "INFO", "INFO")
    settings = merge_settings(
        OLD, {"LoggingConfig": {"LogFormat": "JSON", "SystemLogLevel": "WARN", "LogGroup": "g"}}
    )
    assert settings.logging == Logging("g", "JSON", "INFO", "WARN")
    back = merge_settings(settings, {"LoggingConfig": {"LogFormat": "Text"}})
    assert back.logging == Logging("g", "Text")


@pytest.mark.parametrize(
    "request_",
    [
        {"Timeout": 901},
        {"MemorySize": 10_241},
        {"EphemeralStorage": {"Size": 10_241}},
        {"Runtime": "provided"},
        {"Runtime": "ruby3.4"},
        {"Handler": ""},
    ],
)
def test_what_cannot_be_is_refused(request_: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterValueException):
        merge_settings(OLD, request_)


def test_variables_may_take_four_kilobytes() -> None:
    room = 4_096 - len('{"KEY":""}')
    check_variables({"KEY": "x" * room})
    with pytest.raises(InvalidParameterValueException):
        check_variables({"KEY": "x" * (room + 1)})
    with pytest.raises(InvalidParameterValueException, match="AWS_SESSION_TOKEN, _HANDLER"):
        check_variables({"_HANDLER": "x", "AWS_SESSION_TOKEN": "y"})


def test_five_layers_of_different_names() -> None:
    check_layer_arns([f"arn:l{n}:1" for n in range(5)])
    with pytest.raises(InvalidParameterValueException):
        check_layer_arns([f"arn:l{n}:1" for n in range(6)])
    with pytest.raises(InvalidParameterValueException):
        check_layer_arns(["arn:l:1", "arn:l:2"])
