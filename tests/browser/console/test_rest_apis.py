"""REST APIs made, changed and called from the console alone; boto3 sees each effect."""

import json
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import expect
from tests.browser.steps import confirm, function, go, look_over, submit

SUM = """import json
def handler(event, context):
    query = event.get("queryStringParameters") or {}
    total = int(query.get("a", 1)) + int(query.get("b", 2))
    return {"statusCode": 200, "body": json.dumps({"sum": total})}
"""
GATE = """def handler(event, context):
    effect = "Allow" if event["authorizationToken"] == "let me in" else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {"principalId": "someone",
            "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
"""


def ask(cloud, api, stage, path, method="GET", **headers):
    """Status, headers and body of a call to a stage."""
    url = f"{cloud.endpoint}/_aws/execute-api/{api}/{stage}{path}"
    request = urllib.request.Request(
        url, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    request.method = method
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


@pytest.fixture
def gateway(cloud):
    return cloud.client("apigateway")


def create(page, gateway, name):
    """A REST API, made from the list; its id."""
    go(page, "apis", "APIs")
    page.get_by_role("button", name="Create API").click()
    page.get_by_label("API name").fill(name)
    submit(page, "Create API")
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    return next(
        one["id"] for one in gateway.get_rest_apis(limit=500)["items"] if one["name"] == name
    )


def deploy(page, stage):
    page.get_by_role("button", name="Deploy", exact=True).click()
    page.get_by_role("dialog").get_by_label("Stage").fill(stage)
    submit(page, "Deploy")
    expect(page.get_by_role("heading", name=stage, exact=True, level=2)).to_be_visible()


def create_method(page, verb, called=None, **more):
    page.get_by_role("button", name="Create method").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Method", exact=True).select_option(verb)
    if called:
        dialog.get_by_label("Function", exact=True).fill(called)
    for label, value in more.items():
        dialog.get_by_label(label, exact=True).select_option(value)
    submit(page, "Create method")
    expect(page.get_by_role("heading", name=f"{verb} /", level=2)).to_be_visible()


def test_an_api_is_made_deployed_and_called(cloud, console, gateway):
    """Resource, method, function, CORS in one step, stage; and all of it goes again."""
    function(cloud, "console-sum", SUM)
    api = create(console, gateway, "console-adder")
    console.get_by_role("button", name="Create resource").click()
    console.get_by_role("dialog").get_by_label("Name").fill("sum")
    submit(console, "Create resource")
    expect(console.get_by_role("heading", name="/sum", level=2)).to_be_visible()
    create_method(console, "GET", "console-sum")
    console.get_by_label("Query").fill("a=20&b=22")
    console.get_by_role("button", name="Test", exact=True).click()
    expect(console.get_by_text("✓ 200")).to_be_visible()
    assert json.loads(console.get_by_label("Answer", exact=True).inner_text()) == {"sum": 42}

    console.get_by_role("button", name="Resource /sum").click()
    console.get_by_role("button", name="Enable CORS").click()
    console.get_by_label("Allowed origin").fill("https://page.example")
    submit(console, "Enable CORS")
    expect(console.get_by_role("button", name="OPTIONS /sum")).to_be_visible()
    deploy(console, "evening")
    assert ask(cloud, api, "evening", "/sum?a=1&b=4")[2] == b'{"sum": 5}'
    status, headers, _ = ask(
        cloud, api, "evening", "/sum", "OPTIONS", Origin="https://page.example"
    )
    assert status == 200
    assert headers["Access-Control-Allow-Origin"] == "https://page.example"
    assert headers["Access-Control-Allow-Methods"] == "GET,OPTIONS"
    status, headers, _ = ask(cloud, api, "evening", "/none")
    assert (status, headers["Access-Control-Allow-Origin"]) == (403, "https://page.example")
    assert not look_over(console)

    console.get_by_role("tab", name="Resources").click()
    console.get_by_role("button", name="GET /sum").click()
    console.get_by_role("button", name="Delete method").click()
    confirm(console, "GET")
    expect(console.get_by_role("button", name="GET /sum")).to_have_count(0)
    console.get_by_role("button", name="Delete resource").click()
    confirm(console, "/sum")
    expect(console.get_by_role("button", name="Resource /sum")).to_have_count(0)
    assert [one["path"] for one in gateway.get_resources(restApiId=api)["items"]] == ["/"]
    console.get_by_role("button", name="Delete", exact=True).click()
    confirm(console, "console-adder")
    expect(console.get_by_role("heading", name="APIs", level=1)).to_be_visible()
    assert api not in {one["id"] for one in gateway.get_rest_apis(limit=500)["items"]}


def test_a_mock_and_a_mapped_answer(cloud, console, gateway):
    api = create(console, gateway, "console-mock")
    create_method(console, "GET", Backend="mock")
    console.get_by_role("button", name="Edit the answer 200").click()
    console.get_by_role("dialog").get_by_label("Templates: template of application/json").fill(
        '{"word": "mocked"}'
    )
    console.get_by_role("dialog").get_by_role("button", name="Add to headers").click()
    console.get_by_role("dialog").get_by_label("Headers: method.response.header.Name").fill(
        "method.response.header.X-Own"
    )
    console.get_by_role("dialog").get_by_label("Headers: 'value'").fill("'yes'")
    submit(console, "Save")
    expect(console.get_by_text("X-Own: 'yes'")).to_be_visible()
    console.get_by_role("button", name="Test", exact=True).click()
    expect(console.get_by_label("Answer", exact=True)).to_contain_text("mocked")
    expect(console.get_by_label("Headers of the answer")).to_contain_text("X-Own")
    console.get_by_role("button", name="Resource /", exact=True).click()
    console.get_by_role("button", name="Enable CORS").click()
    submit(console, "Enable CORS")
    expect(console.get_by_role("button", name="OPTIONS /")).to_be_visible()
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    found = gateway.get_method(restApiId=api, resourceId=root, httpMethod="GET")
    told = found["methodIntegration"]["integrationResponses"]["200"]
    assert told["responseTemplates"] == {"application/json": '{"word": "mocked"}'}
    assert told["responseParameters"] == {
        "method.response.header.X-Own": "'yes'",
        "method.response.header.Access-Control-Allow-Origin": "'*'",
    }
    console.get_by_role("button", name="GET /").click()
    console.get_by_role("button", name="Edit the backend").click()
    console.get_by_label("Time limit (ms)").evaluate(
        "field => field.closest('details').open = true"
    )
    console.get_by_label("Time limit (ms)").fill("5000")
    submit(console, "Save")
    expect(console.get_by_text("5000 ms")).to_be_visible()
    found = gateway.get_method(restApiId=api, resourceId=root, httpMethod="GET")
    assert found["methodIntegration"]["timeoutInMillis"] == 5000
    assert found["methodIntegration"]["integrationResponses"]["200"] == told


def create_plan(console, api, key):
    """A plan for the stage `prod` with three calls a month, and the key in it."""
    go(console, "apis", "APIs")
    console.get_by_role("button", name="Create plan").click()
    dialog = console.get_by_role("dialog")
    dialog.get_by_label("Name").fill("console-plan")
    dialog.get_by_label("Calls a second").fill("50")
    dialog.get_by_label("At once").fill("20")
    dialog.get_by_label("Calls in all").fill("3")
    dialog.get_by_label("Counted").select_option("MONTH")
    submit(console, "Create plan")
    expect(console.get_by_role("heading", name="console-plan")).to_be_visible()
    console.get_by_role("button", name="Add stage").click()
    console.get_by_role("dialog").get_by_label("API and stage").select_option(f"{api}:prod")
    submit(console, "Add stage")
    expect(console.get_by_role("link", name="console-metered")).to_be_visible()
    console.get_by_role("button", name="Add key").click()
    console.get_by_role("dialog").get_by_label("Key", exact=True).select_option(key["id"])
    submit(console, "Add key")
    expect(console.get_by_role("link", name="console-caller")).to_be_visible()


def test_keys_plans_and_what_was_used(cloud, console, gateway):
    api = create(console, gateway, "console-metered")
    create_method(console, "GET", Backend="mock")
    console.get_by_role("button", name="Edit who may call it").click()
    console.get_by_label("API key required").check()
    submit(console, "Save")
    expect(console.get_by_text("✓ required")).to_be_visible()
    deploy(console, "prod")
    assert ask(cloud, api, "prod", "/")[0] == 403

    go(console, "apis", "APIs")
    console.get_by_role("button", name="Create key").click()
    console.get_by_role("dialog").get_by_label("Name").fill("console-caller")
    submit(console, "Create key")
    expect(console.get_by_role("heading", name="console-caller")).to_be_visible()
    console.get_by_role("button", name="Show value").click()
    expect(console.get_by_text("••••")).to_have_count(0)
    key = next(
        one
        for one in gateway.get_api_keys(includeValues=True)["items"]
        if one["name"] == "console-caller"
    )
    expect(console.get_by_text(key["value"])).to_be_visible()
    assert not look_over(console)

    create_plan(console, api, key)
    call = {"x_api_key": key["value"]}
    assert [ask(cloud, api, "prod", "/", **call)[0] for _ in range(4)] == [200, 200, 200, 429]
    console.reload()
    row = console.get_by_role("row").filter(has_text="console-caller")
    expect(row).to_contain_text("30")
    console.get_by_role("button", name="Extend console-caller").click()
    console.get_by_role("dialog").get_by_label("Calls remaining").fill("10")
    submit(console, "Extend")
    expect(row).to_contain_text("10")
    assert ask(cloud, api, "prod", "/", **call)[0] == 200
    console.get_by_role("button", name="Limit a method").click()
    console.get_by_role("dialog").get_by_label("Method and path").fill("GET /")
    console.get_by_role("dialog").get_by_label("Calls a second").fill("2")
    console.get_by_role("dialog").get_by_label("At once").fill("1")
    submit(console, "Save")
    expect(console.get_by_text("2 a second, 1 at once")).to_be_visible()
    plan = next(one for one in gateway.get_usage_plans()["items"] if one["name"] == "console-plan")
    assert plan["apiStages"][0]["throttle"] == {"/GET": {"rateLimit": 2.0, "burstLimit": 1}}
    assert not look_over(console)
    console.get_by_role("button", name="Delete", exact=True).click()
    confirm(console, "console-plan")
    assert plan["id"] not in {one["id"] for one in gateway.get_usage_plans()["items"]}


def test_an_authorizer_a_validator_and_a_policy(cloud, console, gateway):
    function(cloud, "console-gate", GATE)
    api = create(console, gateway, "console-guarded")
    console.get_by_role("tab", name="Authorizers").click()
    console.get_by_role("button", name="Create authorizer").click()
    dialog = console.get_by_role("dialog")
    dialog.get_by_label("Name").fill("gate")
    dialog.get_by_label("Function", exact=True).fill("console-gate")
    dialog.get_by_label("Answers are kept").fill("0")
    submit(console, "Save")
    console.get_by_role("button", name="Test gate").click()
    console.get_by_label("Headers, one a line").fill("Authorization: let me in")
    console.get_by_role("button", name="Test", exact=True).click()
    expect(console.get_by_text("✓ let in")).to_be_visible()

    console.get_by_role("tab", name="Validation").click()
    console.get_by_role("button", name="Create validator").click()
    console.get_by_role("dialog").get_by_label("Name").fill("all")
    submit(console, "Save")
    expect(console.get_by_role("button", name="Edit validator all")).to_be_visible()

    console.get_by_role("tab", name="Resources").click()
    create_method(console, "GET", Backend="mock")
    console.get_by_role("button", name="Edit who may call it").click()
    console.get_by_label("Authorization", exact=True).select_option(label="Lambda authorizer: gate")
    console.get_by_text("Validation", exact=True).last.click()
    console.get_by_label("Validator", exact=True).select_option(label="all")
    console.get_by_role("button", name="Add to parameters").click()
    console.get_by_label("Parameters: method.request.querystring.id").fill(
        "method.request.querystring.who"
    )
    console.get_by_label("Parameters: true: required").fill("true")
    submit(console, "Save")
    expect(console.get_by_text("CUSTOM: gate")).to_be_visible()
    deploy(console, "prod")
    allowed = {"Authorization": "let me in"}
    assert ask(cloud, api, "prod", "/?who=me")[0] == 401
    assert ask(cloud, api, "prod", "/?who=me", Authorization="no")[0] == 403
    assert ask(cloud, api, "prod", "/", **allowed)[0] == 400
    assert ask(cloud, api, "prod", "/?who=me", **allowed)[0] == 200

    console.get_by_role("tab", name="Policy").click()
    console.get_by_label("Resource policy").fill("{")
    console.get_by_role("button", name="Save", exact=True).click()
    expect(console.get_by_text("The policy is not JSON")).to_be_visible()
    console.get_by_role("button", name="All but these addresses").click()
    policy = json.loads(console.get_by_label("Resource policy").input_value())
    policy["Statement"][1]["Condition"]["IpAddress"]["aws:SourceIp"] = ["127.0.0.1/32", "::1/128"]
    console.get_by_label("Resource policy").fill(json.dumps(policy))
    console.get_by_role("button", name="Save", exact=True).click()
    expect(console.get_by_text("✓ set")).to_be_visible()
    assert not look_over(console)
    deploy(console, "prod")
    assert ask(cloud, api, "prod", "/?who=me", **allowed)[0] == 403
    console.get_by_role("tab", name="Policy").click()
    console.get_by_role("button", name="Remove", exact=True).click()
    expect(console.get_by_text("none: its methods decide")).to_be_visible()
    assert not gateway.get_rest_api(restApiId=api).get("policy")


def test_a_stage_is_edited(cloud, console, gateway):
    api = create(console, gateway, "console-staged")
    create_method(console, "GET", Backend="mock")
    deploy(console, "prod")
    console.get_by_role("button", name="Edit stage prod").click()
    dialog = console.get_by_role("dialog")
    dialog.get_by_label("Description").fill("for all")
    dialog.get_by_label("Calls a second").fill("7")
    dialog.get_by_label("At once").fill("3")
    dialog.get_by_role("button", name="Add to variables").click()
    dialog.get_by_label("Variables: Name").fill("table")
    dialog.get_by_label("Variables: Value").fill("scores-prod")
    dialog.get_by_label("Metrics for each method").check()
    dialog.get_by_label("Tracing").check()
    submit(console, "Save")
    expect(console.get_by_text("7 calls a second, 3 at once")).to_be_visible()
    expect(console.get_by_text("table=scores-prod")).to_be_visible()
    console.get_by_role("button", name="Method limits").click()
    console.get_by_role("dialog").get_by_label("Method", exact=True).select_option(label="GET /")
    console.get_by_role("dialog").get_by_label("Calls a second").fill("2")
    console.get_by_role("dialog").get_by_label("At once").fill("1")
    submit(console, "Save")
    expect(console.get_by_role("heading", name="Limits of methods")).to_be_visible()
    stage = gateway.get_stage(restApiId=api, stageName="prod")
    assert (stage["description"], stage["variables"]) == ("for all", {"table": "scores-prod"})
    assert stage["tracingEnabled"]
    every = stage["methodSettings"]["*/*"]
    assert every["metricsEnabled"]
    assert (every["throttlingRateLimit"], every["throttlingBurstLimit"]) == (7.0, 3)
    assert stage["methodSettings"]["~1/GET"]["throttlingRateLimit"] == 2.0
    console.get_by_role("button", name="Remove the limits of GET /").click()
    expect(console.get_by_role("heading", name="Limits of methods")).to_have_count(0)
    with console.expect_download() as waiting:
        console.get_by_role("button", name="Export stage prod").click()
    document = json.loads(waiting.value.path().read_text())
    assert document["paths"]["/"]["get"]
    console.get_by_role("button", name="Edit stage prod").click()
    console.get_by_role("button", name="Remove table").click()
    console.get_by_role("dialog").get_by_label("Calls a second").fill("")
    console.get_by_role("dialog").get_by_label("At once").fill("")
    submit(console, "Save")
    expect(console.get_by_text("table=scores-prod")).to_have_count(0)
    stage = gateway.get_stage(restApiId=api, stageName="prod")
    assert not stage.get("variables")
    assert stage["methodSettings"]["*/*"]["throttlingRateLimit"] == -1.0
    assert not look_over(console)
