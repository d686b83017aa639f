"""Every part of the newer pages on a phone, light and dark; and all of it by keyboard."""

import json

import pytest
from playwright.sync_api import expect
from tests.browser.console.test_traces import send
from tests.browser.steps import go, link_to, look_over

MOCK = {
    "responses": {"200": {"description": "well"}},
    "x-amazon-apigateway-integration": {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": "200"}},
    },
}
WIDGETS = [
    {"type": "text", "width": 24, "properties": {"markdown": "# One\n\n- two\n\n`three`"}},
    {"type": "metric", "width": 8, "properties": {"metrics": [["AWS/Lambda", "Invocations"]]}},
    {"type": "alarm", "x": 8, "width": 8, "properties": {"alarms": []}},
    {"type": "custom", "x": 16, "width": 8, "properties": {"endpoint": "none"}},
]


@pytest.fixture(scope="module")
def parts(cloud):
    """Addresses of pages with something on each, and their headings."""
    gateway, watch = cloud.client("apigateway"), cloud.client("cloudwatch")
    document = {"openapi": "3.0.1", "info": {"title": "parts"}, "paths": {"/a": {"get": MOCK}}}
    api = gateway.import_rest_api(body=json.dumps(document).encode())["id"]
    gateway.create_deployment(restApiId=api, stageName="prod")
    resources = gateway.get_resources(restApiId=api)["items"]
    resource = next(one["id"] for one in resources if one["path"] == "/a")
    key = gateway.create_api_key(name="parts-key", enabled=True)["id"]
    plan = gateway.create_usage_plan(
        name="parts-plan",
        apiStages=[{"apiId": api, "stage": "prod"}],
        quota={"limit": 10, "period": "DAY"},
    )["id"]
    gateway.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")
    quick = cloud.client("apigatewayv2").create_api(
        Name="parts-quick", ProtocolType="HTTP", Target="https://example.invalid"
    )["ApiId"]
    socket = cloud.client("apigatewayv2").create_api(
        Name="parts-socket", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.do"
    )["ApiId"]
    watch.put_metric_alarm(
        AlarmName="parts-alarm",
        Namespace="Parts",
        MetricName="None",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    body = json.dumps({"widgets": WIDGETS})
    watch.put_dashboard(DashboardName="parts-board", DashboardBody=body)
    trace = send(cloud, "parts-trace", fault=True)
    tabs = ("stages", "dashboard", "authorizers", "validation", "policy", "settings")
    return [
        *((f"apis/{api}/{one}", "parts") for one in ("", f"resources/{resource}/GET", *tabs)),
        (f"apis/keys/{key}", "parts-key"),
        (f"apis/plans/{plan}", "parts-plan"),
        *((f"apis/v2/{quick}/{one}", "parts-quick") for one in ("backends", "stages", "cors")),
        *((f"apis/v2/{socket}/{one}", "parts-socket") for one in ("authorizers", "try-it")),
        ("alarms/parts-alarm", "parts-alarm"),
        ("dashboards/parts-board", "parts-board"),
        ("dashboards/parts-board/body", "parts-board"),
        ("traces/map", "Traces"),
        (f"traces/{trace}", trace),
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_part_fits_a_phone(cloud, browser, faults, parts, scheme):
    window = browser.new_context(viewport={"width": 360, "height": 800}, color_scheme=scheme)
    window.set_default_timeout(30_000)
    window.on("page", faults.watch)
    page = window.new_page()
    try:
        page.goto(link_to(cloud))
        expect(page.get_by_role("heading", name="Home")).to_be_visible()
        for address, heading in parts:
            go(page, address, heading)
            page.wait_for_load_state("networkidle")
            expect(page.get_by_text("Loading…")).to_have_count(0)
            expect(page.get_by_role("alert").filter(has_text="request ")).to_have_count(0)
            assert not look_over(page), address
    finally:
        window.close()
    assert not faults.seen


def test_a_question_is_left_by_escape_and_by_going_back(console):
    go(console, "alarms", "Alarms")
    opener = console.get_by_role("button", name="Create alarm")
    opener.focus()
    console.keyboard.press("Enter")
    expect(console.get_by_role("dialog", name="Create alarm")).to_be_visible()
    expect(console.get_by_label("Alarm name")).to_be_focused()
    console.keyboard.press("Escape")
    expect(console.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()
    go(console, "dashboards", "Dashboards")
    console.get_by_role("button", name="Create dashboard").click()
    expect(console.get_by_role("dialog")).to_be_visible()
    console.go_back()
    expect(console.get_by_role("heading", name="Alarms", level=1)).to_be_visible()
    expect(console.get_by_role("dialog")).to_have_count(0)


def test_tabs_are_moved_between_by_arrows_and_stay_in_the_address(console, parts):
    address, heading = parts[0]
    go(console, address, heading)
    console.get_by_role("tab", name="Resources").focus()
    console.keyboard.press("ArrowRight")
    expect(console.get_by_role("tab", name="Stages")).to_be_focused()
    expect(console.get_by_role("heading", name="prod", level=2)).to_be_visible()
    console.reload()
    expect(console.get_by_role("tab", name="Stages")).to_have_attribute("aria-selected", "true")
    expect(console.get_by_role("heading", name="prod", level=2)).to_be_visible()


def test_who_wants_no_motion_sees_none(cloud, browser, faults):
    window = browser.new_context(reduced_motion="reduce")
    window.on("page", faults.watch)
    page = window.new_page()
    try:
        page.goto(link_to(cloud))
        expect(page.get_by_role("heading", name="Home")).to_be_visible()
        moving = """() => [...document.querySelectorAll('*')].filter(e => {
          const style = getComputedStyle(e);
          return style.transitionDuration !== '0s' || style.animationName !== 'none';
        }).map(e => e.outerHTML.slice(0, 100))"""
        assert not page.evaluate(moving)
    finally:
        window.close()
    assert not faults.seen
