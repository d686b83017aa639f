"""Queue URLs and bodies: what is remembered or seen quickly is read as it always was."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.services.sqs.errors import InvalidMessageContents
from cumulet.services.sqs.hall import address_of
from cumulet.services.sqs.limits import URL_REMEMBERED_CHARACTERS_MAX
from cumulet.services.sqs.rules.contents import check_body

MINE = Scope("111111111111", "eu-west-1")
CALLER: Any = SimpleNamespace(scope=MINE)
LONG = "x" * URL_REMEMBERED_CHARACTERS_MAX


@pytest.mark.parametrize(
    ("url", "account", "name"),
    [
        ("http://h:1/222222222222/q", "222222222222", "q"),
        ("http://h:1/222222222222/q/", "222222222222", "q"),
        ("http://h:1/queue/222222222222/a%20b", "222222222222", "a b"),
        ("/222222222222/q", "222222222222", "q"),
        ("q.fifo", MINE.account, "q.fifo"),
        (f"http://h/222222222222/{LONG}", "222222222222", LONG),
    ],
)
def test_a_url_names_an_account_and_a_queue(url, account, name):
    for _ in range(2):
        assert address_of(CALLER, url) == (Scope(account, MINE.region), name)


def test_the_region_and_a_bare_names_account_are_each_callers_own():
    other: Any = SimpleNamespace(scope=Scope("333333333333", "us-west-2"))
    for caller in (CALLER, other):
        assert address_of(caller, "bare") == (caller.scope, "bare")
        named = Scope("222222222222", caller.scope.region)
        assert address_of(caller, "http://h/222222222222/q") == (named, "q")


@pytest.mark.parametrize("url", ["", "/", "http://h", "http://h/q", "h:q", "http://h/2222/q"])
def test_other_urls_are_refused_each_time(url):
    for _ in range(2):
        with pytest.raises(AwsError) as refused:
            address_of(CALLER, url)
        assert refused.value.code == "InvalidAddress"


# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
@pytest.mark.parametrize("body", ["plain", "a\tb\r\n", "\x7f", "é", "\ud7ff\ue000\ufffd\U0010ffff"])
def test_bodies_of_allowed_characters_are_taken(body):
    check_body(body)


@pytest.mark.parametrize("body", ["\0", "a\x1f", "\x0b", "é\x08", "\ufffe", "\ud800"])
def test_bodies_of_other_characters_are_refused(body):
    with pytest.raises(InvalidMessageContents):
        check_body(body)
