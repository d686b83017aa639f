"""A newcomer's evening in the console, step by step, as the guide of the system tells it.

Each step is by itself, on a cloud of its own, so that its names are those of the guide. The steps
that put an API before the function are in `console/test_first_evening_apis.py`.
"""

import json
import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect
from tests.browser.console.evening import (
    CALCULATOR,
    HANDLER,
    NUMBERS,
    PATIENCE_MS,
    RESULTS,
    ROOT,
    console,
    own,
    picture,
)  # fmt: skip
from tests.browser.steps import function, go, link_to, role, submit, type_code

__all__ = ["console", "own", "picture"]

SECONDS_MAX = 300


def create_function(page, name, runtime="python3.12"):
    go(page, "functions", "Functions")
    page.get_by_role("button", name="Create function").click()
    page.get_by_label("Function name").fill(name)
    page.get_by_label("Runtime").select_option(runtime)


def test_the_printed_link_signs_in_once(own, console, picture, browser):
    expect(console.get_by_role("link", name="Functions").first).to_be_visible()
    picture("01-home")
    link = link_to(own)
    for turn in range(2):
        window = browser.new_context()
        page = window.new_page()
        page.goto(link)
        heading = ("Home", "Sign in")[turn]
        expect(page.get_by_role("heading", name=heading)).to_be_visible(timeout=PATIENCE_MS)
        window.close()


@pytest.mark.parametrize("name", ["bad name", "no.dots", "größe", "a/b", "semi;colon", "x" * 65])
def test_a_wrong_name_is_refused(own, console, name):
    create_function(console, name)
    console.get_by_role("dialog").get_by_role("button", name="Create function").click()
    field = console.get_by_label("Function name")
    assert field.evaluate("field => field.validity.patternMismatch")
    assert "Letters, digits, hyphens and underscores" in field.get_attribute("title")
    expect(console.get_by_role("dialog")).to_be_visible()
    assert own.client("lambda").list_functions()["Functions"] == []


def test_a_name_that_is_taken_is_refused_and_leaves_no_role(own, console, faults):
    function(own, "calculator", CALCULATOR, HANDLER)
    create_function(console, "calculator")
    console.get_by_role("dialog").get_by_role("button", name="Create function").click()
    expect(console.get_by_role("alert")).to_contain_text("already exist")
    expect(
        console.get_by_role("dialog").get_by_role("button", name="Create function")
    ).to_be_enabled()
    names = [one["RoleName"] for one in own.client("iam").list_roles()["Roles"]]
    assert not [name for name in names if name.startswith("calculator-role-")]
    assert all("409" in fault for fault in faults.seen), faults.seen
    faults.seen.clear()


def test_a_function_is_made_with_a_new_basic_role(own, console, picture):
    create_function(console, "my_calculator-1")
    console.get_by_label("Function name").fill("calculator")
    picture("02-create-function")
    submit(console, "Create function")
    expect(console.get_by_role("heading", name="calculator", level=1)).to_be_visible()
    made = own.client("lambda").get_function_configuration(FunctionName="calculator")
    name = made["Role"].rpartition("/")[2]
    assert re.fullmatch("calculator-role-[0-9a-f]{8}", name)
    [policy] = own.client("iam").list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert policy["PolicyName"] == "AWSLambdaBasicExecutionRole"


def test_a_function_is_made_with_an_existing_role(own, console):
    arn = role(own, "for-functions")
    create_function(console, "with_a_role", "nodejs22.x")
    console.get_by_text("Use an existing role").click()
    console.get_by_label("Role", exact=True).select_option(label="for-functions")
    submit(console, "Create function")
    expect(console.get_by_role("heading", name="with_a_role", level=1)).to_be_visible()
    made = own.client("lambda").get_function_configuration(FunctionName="with_a_role")
    assert (made["Role"], made["Runtime"]) == (arn, "nodejs22.x")


def test_the_code_is_edited_and_deployed(own, console, picture):
    function(own, "calculator", "def lambda_handler(event, context): return 1\n", HANDLER)
    go(console, "functions/calculator", "calculator")
    type_code(console, "Code of lambda_function.py", CALCULATOR)
    expect(console.get_by_text("Changes not deployed")).to_be_visible()
    console.get_by_role("button", name="Deploy", exact=True).click()
    expect(console.get_by_text("calculator is deployed.")).to_be_visible()
    answer = own.client("lambda").invoke(FunctionName="calculator", Payload=NUMBERS)
    assert json.loads(answer["Payload"].read()) == RESULTS
    console.evaluate("scrollTo(0, 0)")
    picture("03-code")


def test_a_saved_event_is_tested_and_an_error_is_the_function_s_own(own, console, picture):
    function(own, "calculator", CALCULATOR, HANDLER)
    own.client("lambda").invoke(FunctionName="calculator", Payload=NUMBERS)
    go(console, "functions/calculator/test", "calculator")
    type_code(console, "Test event hello", NUMBERS)
    console.get_by_role("button", name="Save as…").click()
    console.get_by_label("Name of the event").fill("numbers")
    submit(console, "Save")
    console.reload()
    console.get_by_label("Test event", exact=True).select_option("numbers")
    expect(console.get_by_label("Test event numbers")).to_have_value(NUMBERS)
    console.get_by_role("button", name="Test", exact=True).click()
    expect(console.get_by_text("✓ succeeded")).to_be_visible()
    assert json.loads(console.get_by_label("Answer").inner_text()) == RESULTS
    log = console.get_by_label("Log of this call")
    expect(log).to_contain_text("START RequestId")
    billed = re.search(r"Billed Duration: (\d+) ms", log.inner_text())[1]
    assert int(billed) >= 1
    expect(console.locator("dl").filter(has_text="Billed duration")).to_contain_text(f"{billed} ms")
    to_result = "document.querySelector('.tabs').scrollIntoView()"
    console.evaluate(to_result)
    picture("04-result")

    type_code(console, "Test event numbers", NUMBERS.replace("20", "0"))
    console.get_by_role("button", name="Test", exact=True).click()
    expect(console.get_by_text("✗ failed (Unhandled)")).to_be_visible()
    failed = json.loads(console.get_by_label("Answer").inner_text())
    assert (failed["errorType"], failed["errorMessage"]) == (
        "ZeroDivisionError",
        "division by zero",
    )
    assert "in calculate" in "".join(failed["stackTrace"])
    expect(log).to_contain_text("[ERROR] ZeroDivisionError: division by zero")
    console.evaluate(to_result)
    picture("05-error")


def test_the_web_application_is_on_it(own, console, window, picture):
    folder = ROOT / "apps" / "first-microservice" / "web"
    words = [sys.executable, "-m", "cumulet", "deploy", str(folder), "--data", str(own.data)]
    done = subprocess.run(
        [*words, "--json"], capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )
    assert done.returncode == 0, done.stderr
    page = window.new_page()
    page.set_viewport_size({"width": 1200, "height": 720})
    page.goto(json.loads(done.stdout)["Outputs"]["PageUrl"])
    page.get_by_role("button", name="New notebook").click()
    page.get_by_label("Name").fill("Garden")
    page.get_by_role("button", name="Make notebook").click()
    expect(page.get_by_role("heading", name="Garden")).to_be_visible()
    notes = [
        ("Seeds for next year", "Keep the striped ones.", "", ""),
        ("Buy string", "For the beans, 20 m.", "shopping", "In an hour"),
        (
            "Tomatoes",
            "Water them every morning, and more by the wall.",
            "summer",
            "In a week",
        ),
    ]
    for title, text, tag, expires in notes:
        page.get_by_role("button", name="New note", exact=True).click()
        page.get_by_label("Title", exact=True).fill(title)
        page.get_by_label("Text", exact=True).fill(text)
        page.get_by_label("Tag", exact=True).fill(tag)
        if expires:
            page.get_by_label("Expires").select_option(expires)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name=title)).to_be_visible()
    picture("12-notebooks", page)
