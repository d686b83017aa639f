"""The console in a real browser: a newcomer's evening, and every page in light, dark and small."""

import json
import re

import pytest
from playwright.sync_api import expect
from tests.browser.steps import go, link_to, look_over, packed, role, type_code

FIRST_PAGE_BYTES_MAX = 300_000
CALCULATOR = """def lambda_handler(event, context):
    first, second = event["Number1"], event["Number2"]
    return {"sum": first + second, "product": first * second,
            "difference": first - second, "quotient": first / second}
"""


def test_the_first_page_is_small_and_asks_nobody_else(cloud, page):
    sizes = []
    page.on("response", lambda answer: sizes.append(len(answer.body())))
    page.goto(link_to(cloud))
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert 20_000 < sum(sizes) < FIRST_PAGE_BYTES_MAX
    assert "#code" not in page.url


def test_a_newcomers_evening(console):
    """Create a function, edit it, deploy, save a test event, test; and see it fail."""
    page = console
    go(page, "functions", "Functions")
    page.get_by_role("button", name="Create function").click()
    name = page.get_by_label("Function name")
    name.fill("bad name!")
    page.get_by_role("dialog").get_by_role("button", name="Create function").click()
    assert name.evaluate("field => field.validity.patternMismatch")
    name.fill("evening_calculator-1")
    page.get_by_label("Runtime").select_option("python3.12")
    page.get_by_role("dialog").get_by_role("button", name="Create function").click()
    expect(page.get_by_role("heading", name="evening_calculator-1")).to_be_visible()

    type_code(page, "Code of lambda_function.py", CALCULATOR)
    expect(page.get_by_text("Changes not deployed")).to_be_visible()
    page.get_by_role("button", name="Deploy", exact=True).click()
    expect(page.get_by_text("evening_calculator-1 is deployed.")).to_be_visible()

    page.get_by_role("tab", name="Test").click()
    type_code(page, "Test event hello", '{"Number1": 10, "Number2": 20}')
    page.get_by_role("button", name="Save as…").click()
    page.get_by_label("Name of the event").fill("tenTwenty")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text("✓ succeeded")).to_be_visible()
    answer = json.loads(page.get_by_label("Answer").inner_text())
    assert answer == {"sum": 30, "product": 200, "difference": -10, "quotient": 0.5}
    assert "Billed Duration" in page.get_by_label("Log of this call").inner_text()

    type_code(page, "Test event tenTwenty", '{"Number1": 10, "Number2": 0}')
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text("✗ failed (Unhandled)")).to_be_visible()
    failed = json.loads(page.get_by_label("Answer").inner_text())
    assert (failed["errorType"], failed["errorMessage"]) == (
        "ZeroDivisionError",
        "division by zero",
    )

    page.get_by_role("tab", name="Logs").click()
    expect(page.get_by_role("log")).to_contain_text("ZeroDivisionError")


def test_a_function_is_edited_in_place_and_keeps_its_other_files(cloud, console):
    functions = cloud.client("lambda")
    functions.create_function(
        FunctionName="console-edited",
        Runtime="python3.12",
        Role=role(cloud, "console-edited"),
        Handler="lambda_function.handler",
        Code={"ZipFile": packed("from part import WORD\ndef handler(e, c): return WORD\n")},
    )
    go(console, "functions/console-edited", "console-edited")
    console.get_by_role("button", name="New file").click()
    console.get_by_label("Name").fill("part.py")
    console.get_by_role("dialog").get_by_role("button", name="Add").click()
    type_code(console, "Code of part.py", 'WORD = "Grüße"\n')
    console.get_by_role("button", name="Deploy", exact=True).click()
    expect(console.get_by_text("console-edited is deployed.")).to_be_visible()
    answer = functions.invoke(FunctionName="console-edited")
    assert json.loads(answer["Payload"].read()) == "Grüße"


def test_items_are_made_found_edited_and_deleted(cloud, console):
    tables = cloud.client("dynamodb")
    tables.create_table(
        TableName="console-items",
        KeySchema=[
            {"AttributeName": "owner", "KeyType": "HASH"},
            {"AttributeName": "at", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "owner", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    for at in range(60):
        tables.put_item(
            TableName="console-items", Item={"owner": {"S": "ada"}, "at": {"N": str(at)}}
        )
    go(console, "tables/console-items", "console-items")
    expect(console.get_by_text("50 items on this page")).to_be_visible()
    console.get_by_role("button", name="Next page").click()
    expect(console.get_by_text("10 items on this page")).to_be_visible()
    console.get_by_label("owner", exact=True).fill("ada")
    console.get_by_label("at", exact=True).fill("7")
    console.get_by_role("button", name="Search").click()
    expect(console.get_by_text("1 items on this page")).to_be_visible()
    console.get_by_role("button", name="ada").click()
    item = {"owner": {"S": "ada"}, "at": {"N": "7"}, "note": {"S": "seen"}}
    type_code(console, "Item as DynamoDB JSON", json.dumps(item))
    console.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(console.get_by_role("cell", name="seen")).to_be_visible()
    key = {"owner": {"S": "ada"}, "at": {"N": "7"}}
    assert tables.get_item(TableName="console-items", Key=key)["Item"] == item
    console.get_by_role("button", name="ada").click()
    console.get_by_role("button", name="Delete item").click()
    expect(console.get_by_text("No items here.")).to_be_visible()


def test_files_go_up_and_come_down(cloud, console, tmp_path):
    cloud.client("s3").create_bucket(Bucket="console-files")
    large = tmp_path / "large one.bin"
    large.write_bytes(bytes(range(256)) * (20 * 4096))
    go(console, "buckets/console-files", "console-files")
    console.get_by_label("Files to upload").set_input_files(large)
    expect(console.get_by_role("cell", name="large one.bin", exact=True)).to_be_visible()
    stored = cloud.client("s3").get_object(Bucket="console-files", Key="large one.bin")
    assert stored["Body"].read() == large.read_bytes()
    assert stored["ETag"].endswith('-2"')
    with console.expect_download() as waiting:
        console.get_by_role("button", name="Download large one.bin").click()
    waiting.value.save_as(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == large.read_bytes()


def test_a_deletion_asks_for_the_name(cloud, console):
    queue = cloud.client("sqs").create_queue(QueueName="console-queue")["QueueUrl"]
    cloud.client("sqs").send_message(QueueUrl=queue, MessageBody='{"a": 1}')
    go(console, "queues/console-queue", "console-queue")
    console.get_by_role("button", name="Peek").click()
    expect(console.get_by_text('"a": 1')).to_be_visible()
    console.get_by_role("button", name="Delete").click()
    typed = console.get_by_label("Type console-queue to delete it")
    typed.fill("console")
    console.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(console.get_by_text("You typed something else")).to_be_visible()
    typed.fill("console-queue")
    console.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(console.get_by_role("heading", name="Queues")).to_be_visible()
    assert queue not in cloud.client("sqs").list_queues().get("QueueUrls", [])


def test_a_request_opens_as_a_waterfall(cloud, console):
    tables = cloud.client("dynamodb")
    with pytest.raises(tables.exceptions.ResourceNotFoundException):
        tables.describe_table(TableName="console-none")
    go(console, "requests", "Requests")
    console.get_by_label("Search requests").fill("dynamodb DescribeTable")
    console.get_by_role("link", name="dynamodb DescribeTable").first.click()
    expect(console.get_by_role("heading", name="dynamodb DescribeTable")).to_be_visible()
    expect(console.get_by_text("the whole request")).to_be_visible()
    expect(console.get_by_text("! 400")).to_be_visible()


def test_the_month_shows_by_service_and_by_resource(cloud, console):
    queue = cloud.client("sqs").create_queue(QueueName="console-costs")["QueueUrl"]
    cloud.client("sqs").send_message(QueueUrl=queue, MessageBody="a")
    go(console, "costs", "Costs")
    expect(console.get_by_text("Estimates of what AWS would have charged")).to_be_visible()
    expect(console.get_by_text("Prices are of")).to_be_visible()
    picture = console.get_by_role("img", name="Costs by service")
    expect(picture).to_have_accessible_name(re.compile("Amazon Simple Queue Service"))
    resource = console.get_by_role("cell", name="arn:aws:sqs:us-east-1:000000000000:console-costs")
    expect(resource).to_be_visible()
    months = console.get_by_label("Month")
    months.select_option(index=13)
    expect(console.get_by_text("Nothing was used in")).to_be_visible()
    go(console, "home", "Home")
    expect(console.get_by_text("on AWS this month, estimated")).to_be_visible()


def test_a_request_shows_what_it_would_have_cost(cloud, console):
    queue = cloud.client("sqs").create_queue(QueueName="console-cost-of-one")["QueueUrl"]
    answer = cloud.client("sqs").send_message(QueueUrl=queue, MessageBody="a")
    request = answer["ResponseMetadata"]["RequestId"]
    go(console, f"requests/{request}", "sqs SendMessage")
    expect(console.get_by_role("heading", name="What it would have cost on AWS")).to_be_visible()
    expect(console.get_by_text("$0.40 for a million like it")).to_be_visible()
    expect(console.get_by_text("Prices are of 2026-09-11.")).to_be_visible()


def test_a_user_sees_what_its_policies_allow(cloud, page, faults):
    iam = cloud.client("iam")
    iam.create_user(UserName="console-guest")
    iam.attach_user_policy(
        UserName="console-guest", PolicyArn="arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"
    )
    key = iam.create_access_key(UserName="console-guest")["AccessKey"]
    page.goto(link_to(cloud).partition("#")[0])
    page.get_by_label("Access key id").fill(key["AccessKeyId"])
    page.get_by_label("Secret access key").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("signature")
    page.get_by_label("Secret access key").fill(key["SecretAccessKey"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    go(page, "queues", "Queues")
    go(page, "functions", "Functions")
    expect(page.get_by_role("alert")).to_contain_text("not authorized to perform")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    # The browser itself writes down each refused request; nothing else may be there.
    assert all("403" in fault or "400" in fault for fault in faults.seen), faults.seen
    faults.seen.clear()


PAGES = ["Home", "Requests", "Functions", "APIs", "Tables", "Buckets", "Queues", "Users", "Logs"]
PAGES += ["Alarms", "Dashboards", "Traces", "Stacks", "Costs", "Policies", "Settings"]


def test_every_page_by_keyboard_alone(console):
    keys = dict(zip(PAGES, "hrfatbqulmdxscpe", strict=True))
    for title, key in keys.items():
        console.keyboard.press("g")
        console.keyboard.press(key)
        expect(console.get_by_role("heading", name=title, exact=True, level=1)).to_be_visible()
    console.keyboard.press("?")
    expect(console.get_by_role("dialog", name="Keys")).to_be_visible()
    console.keyboard.press("Escape")
    console.keyboard.press("Tab")
    assert console.evaluate("document.activeElement.tagName") != "BODY"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_phone_and_has_contrast(cloud, browser, faults, scheme):
    window = browser.new_context(viewport={"width": 360, "height": 844}, color_scheme=scheme)
    window.on("page", faults.watch)
    page = window.new_page()
    try:
        page.goto(link_to(cloud))
        expect(page.get_by_role("heading", name="Home")).to_be_visible()
        for title in PAGES:
            page.get_by_role("button", name="Menu").click()
            page.get_by_role("link", name=title, exact=True).first.click()
            expect(page.get_by_role("heading", name=title, exact=True, level=1)).to_be_visible()
            assert not look_over(page), title
    finally:
        window.close()
    assert not faults.seen


def test_the_first_paint_is_quick(cloud, page):
    page.goto(link_to(cloud))
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
    # The aim is a second; a machine that is busy with other tests has a little more.
    assert 0 < paint < 5_000
