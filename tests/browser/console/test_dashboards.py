"""Dashboards made and edited in the console, their pictures, and the dashboard of a stage."""

import json
import time
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import expect
from tests.browser.steps import confirm, function, go, look_over, submit

SECONDS_MAX = 60


@pytest.fixture
def watch(cloud):
    return cloud.client("cloudwatch")


def body_of(watch, name):
    return json.loads(watch.get_dashboard(DashboardName=name)["DashboardBody"])


def saved(page, button):
    """The bytes of the file that a button saves."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button).click()
    return waiting.value.path().read_bytes()


def test_a_dashboard_from_nothing(console, watch):
    go(console, "dashboards", "Dashboards")
    console.get_by_role("button", name="Create dashboard").click()
    console.get_by_label("Dashboard name").fill("console-shop")
    submit(console, "Create dashboard")
    expect(console.get_by_role("heading", name="console-shop")).to_be_visible()
    for kind in ("metric", "text", "alarm", "log"):
        console.get_by_role("button", name=f"Add a widget: {kind}").click()
        count = {"metric": 1, "text": 2, "alarm": 3, "log": 4}[kind]
        expect(console.get_by_role("button", name=f"Remove widget {count}")).to_be_visible()
    kinds = [one["type"] for one in body_of(watch, "console-shop")["widgets"]]
    assert kinds == ["metric", "text", "alarm", "log"]
    expect(console.get_by_role("heading", name="Title", level=2)).to_be_visible()
    console.get_by_role("button", name="Remove widget 3").click()
    expect(console.get_by_role("button", name="Remove widget 4")).to_have_count(0)
    console.get_by_role("button", name="Edit widget 2").click()
    widget = json.loads(console.get_by_label("Widget", exact=True).input_value())
    widget["properties"]["markdown"] = "## Hello **there**"
    console.get_by_label("Widget", exact=True).fill(json.dumps(widget))
    submit(console, "Save")
    expect(console.get_by_role("heading", name="Hello there", level=3)).to_be_visible()
    console.get_by_role("button", name="Done").click()
    expect(console.get_by_role("button", name="Edit widget 2")).to_have_count(0)
    assert not look_over(console)
    console.get_by_role("button", name="Delete", exact=True).click()
    confirm(console, "console-shop")
    names = [one["DashboardName"] for one in watch.list_dashboards()["DashboardEntries"]]
    assert "console-shop" not in names


def test_pictures_of_a_dashboard_are_files(console, watch):
    now = time.time()
    for minutes in range(60):
        watch.put_metric_data(
            Namespace="ConsoleFarm",
            MetricData=[
                {"MetricName": "Milk", "Value": 5 + minutes % 3, "Timestamp": now - 60 * minutes},
                {"MetricName": "Eggs", "Value": minutes % 4, "Timestamp": now - 60 * minutes},
            ],
        )
    metrics = [["ConsoleFarm", "Milk", {"label": "Milk of today"}], [".", "Eggs"]]
    line = {"horizontal": [{"label": "too much", "value": 9}]}
    widgets = [
        {"title": "Farm", "metrics": metrics, "annotations": line},
        {"title": "Now", "metrics": metrics, "view": "singleValue"},
        {"title": "Bars", "metrics": metrics, "view": "bar"},
    ]
    body = {"widgets": [{"type": "metric", "properties": one} for one in widgets]}
    watch.put_dashboard(DashboardName="console-farm", DashboardBody=json.dumps(body))
    go(console, "dashboards/console-farm", "console-farm")
    expect(console.get_by_role("img", name="Farm.")).to_be_visible()
    drawing = saved(console, "Save the picture Farm as SVG").decode()
    assert "Milk of today" in drawing
    assert "too much" in drawing
    assert "http://www.w3.org/2000/svg" in drawing
    assert saved(console, "Save the picture Bars as PNG").startswith(b"\x89PNG")
    expect(console.get_by_role("img", name="Bars. Milk of today: ")).to_be_visible()
    console.get_by_label("The last").select_option("1")
    expect(console.get_by_role("img", name="Farm.")).to_be_visible()
    console.get_by_text("Values", exact=True).first.click()
    expect(console.get_by_role("columnheader", name="Milk of today")).to_be_visible()
    assert not look_over(console)


def test_a_body_that_is_wrong_is_told_why(console, watch, faults):
    watch.put_dashboard(DashboardName="console-raw", DashboardBody='{"widgets": []}')
    go(console, "dashboards/console-raw/body", "console-raw")
    body = console.get_by_label("Body of the dashboard (JSON)")
    body.fill("{")
    console.get_by_role("button", name="Save", exact=True).click()
    expect(console.get_by_text("The body is not JSON")).to_be_visible()
    body.fill('{"widgets": [{"type": "metric", "properties": {"metrics": 7}}]}')
    console.get_by_role("button", name="Save", exact=True).click()
    expect(console.get_by_text("/widgets/0/properties/metrics: Should be array")).to_be_visible()
    assert body_of(watch, "console-raw") == {"widgets": []}
    # The browser itself writes down the one refused request.
    assert all("400" in fault for fault in faults.seen), faults.seen
    faults.seen.clear()
    body.fill('{"widgets": [{"type": "text", "properties": {"markdown": "well"}}]}')
    console.get_by_role("button", name="Save", exact=True).click()
    expect(console.get_by_text("✓ Saved.")).to_be_visible()
    assert body_of(watch, "console-raw")["widgets"][0]["properties"] == {"markdown": "well"}


SLOW = """import time
def handler(event, context):
    query = event.get("queryStringParameters") or {}
    time.sleep(1.5 if query.get("slow") else 0)
    return {"statusCode": int(query.get("status", 200)), "body": "{}"}
"""
FORMAT = {
    "id": "$context.requestId",
    "status": "$context.status",
    "latency": "$context.responseLatency",
    "verb": "$context.httpMethod",
    "path": "$context.resourcePath",
}


def served(cloud, name):
    """A stage `prod` with metrics by method and an access log; GET and POST of /scores."""
    arn = function(cloud, name, SLOW)
    place = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions"
    methods = {
        verb: {
            "responses": {},
            "x-amazon-apigateway-integration": {
                "type": "aws_proxy",
                "httpMethod": "POST",
                "uri": f"{place}/{arn}/invocations",
            },
        }
        for verb in ("get", "post")
    }
    document = {"openapi": "3.0.1", "info": {"title": name}, "paths": {"/scores": methods}}
    gateway = cloud.client("apigateway")
    api = gateway.import_rest_api(body=json.dumps(document).encode())["id"]
    cloud.client("lambda").add_permission(
        FunctionName=name,
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    cloud.client("logs").create_log_group(logGroupName=name)
    trust = {"Service": "apigateway.amazonaws.com"}
    role = cloud.client("iam").create_role(
        RoleName=f"{name}-logs",
        AssumeRolePolicyDocument=json.dumps(
            {"Statement": [{"Effect": "Allow", "Principal": trust, "Action": "sts:AssumeRole"}]}
        ),
    )["Role"]["Arn"]
    cloud.client("iam").attach_role_policy(
        RoleName=f"{name}-logs",
        PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
    )
    gateway.update_account(
        patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}]
    )
    gateway.create_deployment(restApiId=api, stageName="prod")
    group = f"arn:aws:logs:us-east-1:000000000000:log-group:{name}"
    patches = {
        "/*/*/metrics/enabled": "true",
        "/accessLogSettings/destinationArn": group,
        "/accessLogSettings/format": json.dumps(FORMAT),
    }
    gateway.update_stage(
        restApiId=api,
        stageName="prod",
        patchOperations=[{"op": "replace", "path": k, "value": v} for k, v in patches.items()],
    )
    return api


CALLS = [("GET", ""), ("GET", "?slow=1"), ("GET", "?status=404"), ("GET", "?status=503")]
CALLS += [("POST", ""), ("GET", "")]


def call(cloud, api, method, query):
    url = f"{cloud.endpoint}/_aws/execute-api/{api}/prod/scores{query}"
    try:
        urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=60).close()
    except urllib.error.HTTPError as error:
        error.close()


def logged(cloud, group, count):
    """The lines of an access log, when all of them are there."""
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        found = cloud.client("logs").filter_log_events(logGroupName=group)["events"]
        if len(found) == count:
            return [json.loads(one["message"]) for one in found]
        assert time.monotonic() < deadline, len(found)


def figures(lines, verb):
    """What the dashboard is to say of a method, counted call by call: calls, 4xx, 5xx, in time."""
    own = [one for one in lines if one["verb"] == verb]
    quick = sum(int(one["latency"]) <= 1_000 for one in own)
    errors = [sum(one["status"].startswith(first) for one in own) for first in "45"]
    share = f"{100 * quick / len(own):.3f}".rstrip("0").rstrip(".")
    return [str(len(own)), *map(str, errors), f"{share} %"], len(own) - quick


def test_a_stages_dashboard_by_method(cloud, console):
    api = served(cloud, "console-scores")
    for method, query in CALLS:
        call(cloud, api, method, query)
    lines = logged(cloud, "console-scores", len(CALLS))
    go(console, f"apis/{api}/dashboard", "console-scores")
    wanted = {verb: figures(lines, verb)[0] for verb in ("GET", "POST")}
    deadline = time.monotonic() + SECONDS_MAX
    seen = {}
    while seen != wanted:
        assert time.monotonic() < deadline, seen
        console.get_by_role("button", name="Refresh").click()
        expect(console.get_by_role("heading", name="By method")).to_be_visible()
        rows = [one.split("\t") for one in console.locator("tbody tr").all_inner_texts()]
        cells = [[part.strip() for part in row] for row in rows if len(row) == 10]
        seen = {row[0].split()[0]: [row[1], *row[6:9]] for row in cells}

    (calls, *_), slow = figures(lines, "GET")
    assert slow >= 1
    console.get_by_role("button", name="GET /scores").click()
    expect(console.get_by_label("Method", exact=True)).to_have_value("0")
    expect(console.get_by_text(f"of {calls} answers took at most 1,000 ms")).to_be_visible()
    expect(console.get_by_text("✗ target missed")).to_be_visible()
    console.get_by_role("button", name="Count in the access log").click()
    expect(console.get_by_text(f"Access log: {slow} of {calls} calls")).to_be_visible()
    # With a limit that nothing passes, the target is met; pictures and values are files.
    console.get_by_label("Slow is over (ms)").fill("60000")
    console.get_by_label("Slow is over (ms)").press("Enter")
    expect(console.get_by_text("✓ target met")).to_be_visible()
    for title in ("API calls", "Latency", "Errors", "Slow answers"):
        assert b"<svg" in saved(console, f"Save the picture {title} as SVG")
    assert saved(console, "Save the picture Latency as PNG").startswith(b"\x89PNG")
    assert b"p99.8" in saved(console, "Save the values (CSV)")
    assert not look_over(console)
