"""A newcomer's evening, its second half: an API before the function, and each way of letting in."""

import json
import urllib.error
import urllib.request

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from playwright.sync_api import expect
from tests.browser.console.evening import (
    CALCULATOR,
    DOORKEEPER,
    HANDLER,
    NUMBERS,
    RESULTS,
    console,
    own,
    picture,
)  # fmt: skip
from tests.browser.steps import confirm, function, go, submit

__all__ = ["console", "own", "picture"]

OPEN = ("GET", "POST", "PUT", "PATCH", "DELETE")


def call(cloud, api, method="GET", headers=None, identity=None):
    """Status, JSON and headers of a call with the two numbers."""
    url = f"{cloud.endpoint}/_aws/execute-api/{api}/prod/calculations"
    headers, data = dict(headers or {}), NUMBERS.encode()
    if method in ("GET", "DELETE", "OPTIONS"):
        url, data = f"{url}?Number1=10&Number2=20", None
    if identity is not None:
        signed = AWSRequest(method, url, data=data)
        session = cloud.session(identity)
        SigV4Auth(session.get_credentials(), "execute-api", cloud.region).add_auth(signed)
        headers |= dict(signed.headers)
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read() or "null"), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or "null"), error.headers


def deploy(page, stage="prod"):
    """Deploy the API whose page is open; what was cached of the stage before is gone."""
    page.get_by_role("button", name="Deploy", exact=True).click()
    page.get_by_role("dialog").get_by_label("Stage").fill(stage)
    submit(page, "Deploy")
    expect(page.get_by_role("heading", name=stage, exact=True, level=2)).to_be_visible()


@pytest.fixture
def api(own):
    """The calculator behind an open API, with stage `prod`; its id."""
    arn = function(own, "calculator", CALCULATOR, HANDLER)
    gateway, functions = own.client("apigateway"), own.client("lambda")
    made = gateway.create_rest_api(name="calculator")["id"]
    [top] = gateway.get_resources(restApiId=made)["items"]
    resource = gateway.create_resource(restApiId=made, parentId=top["id"], pathPart="calculations")
    service = f"arn:aws:apigateway:{own.region}:lambda:path/2015-03-31"
    for method in OPEN:
        place = {"restApiId": made, "resourceId": resource["id"], "httpMethod": method}
        gateway.put_method(**place, authorizationType="NONE")
        gateway.put_integration(
            **place, type="AWS_PROXY", integrationHttpMethod="POST",
            uri=f"{service}/functions/{arn}/invocations",
        )  # fmt: skip
    functions.add_permission(
        FunctionName="calculator", StatementId="api", Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )  # fmt: skip
    gateway.create_deployment(restApiId=made, stageName="prod")
    assert call(own, made)[:2] == (200, RESULTS)
    return made


def open_method(page, api, verb):
    go(page, f"apis/{api}/resources", "calculator")
    page.get_by_role("button", name=f"{verb} /calculations").click()
    expect(page.get_by_role("heading", name=f"{verb} /calculations", level=2)).to_be_visible()


def test_an_api_with_five_methods_and_cors_is_made_and_deployed(own, console, picture):
    function(own, "calculator", CALCULATOR, HANDLER)
    go(console, "apis", "APIs")
    console.get_by_role("button", name="Create API").click()
    console.get_by_label("API name").fill("calculator")
    submit(console, "Create API")
    expect(console.get_by_role("heading", name="calculator", level=1)).to_be_visible()
    console.get_by_role("button", name="Create resource").click()
    console.get_by_role("dialog").get_by_label("Name").fill("calculations")
    submit(console, "Create resource")
    for verb in OPEN:
        console.get_by_role("button", name="Resource /calculations").click()
        console.get_by_role("button", name="Create method").click()
        dialog = console.get_by_role("dialog")
        dialog.get_by_label("Method", exact=True).select_option(verb)
        dialog.get_by_label("Function", exact=True).fill("calculator")
        submit(console, "Create method")
        expect(console.get_by_role("button", name=f"{verb} /calculations")).to_be_visible()
    console.get_by_role("button", name="Resource /calculations").click()
    console.get_by_role("button", name="Enable CORS").click()
    submit(console, "Enable CORS")
    expect(console.get_by_role("button", name="OPTIONS /calculations")).to_be_visible()
    console.get_by_role("button", name="POST /calculations").click()
    expect(console.get_by_role("heading", name="POST /calculations", level=2)).to_be_visible()
    picture("06-methods")
    deploy(console)
    picture("07-stage")
    [api] = [one["id"] for one in own.client("apigateway").get_rest_apis()["items"]]
    for verb in OPEN:
        assert call(own, api, verb)[:2] == (200, RESULTS)
    asked = {"Origin": "https://page.example", "Access-Control-Request-Method": "PUT"}
    status, _, headers = call(own, api, "OPTIONS", asked)
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert set(OPEN) < set(headers["Access-Control-Allow-Methods"].split(","))


def test_a_key_and_a_plan_are_asked_for_and_counted(own, console, api, picture):
    open_method(console, api, "PUT")
    console.get_by_role("button", name="Edit who may call it").click()
    console.get_by_label("API key required").check()
    submit(console, "Save")
    expect(console.get_by_text("✓ required")).to_be_visible()
    deploy(console)
    go(console, "apis", "APIs")
    console.get_by_role("button", name="Create key").click()
    console.get_by_role("dialog").get_by_label("Name").fill("newcomer")
    submit(console, "Create key")
    expect(console.get_by_role("heading", name="newcomer", level=1)).to_be_visible()
    [key] = own.client("apigateway").get_api_keys(includeValues=True)["items"]
    admitted = {"x-api-key": key["value"]}
    assert call(own, api, "PUT", admitted)[:2] == (403, {"message": "Forbidden"})
    go(console, "apis", "APIs")
    console.get_by_role("button", name="Create plan").click()
    dialog = console.get_by_role("dialog")
    dialog.get_by_label("Name").fill("evenings")
    dialog.get_by_label("Calls in all").fill("2")
    dialog.get_by_label("Counted").select_option("MONTH")
    submit(console, "Create plan")
    expect(console.get_by_role("heading", name="evenings", level=1)).to_be_visible()
    console.get_by_role("button", name="Add stage").click()
    console.get_by_role("dialog").get_by_label("API and stage").select_option(f"{api}:prod")
    submit(console, "Add stage")
    console.get_by_role("button", name="Add key").click()
    console.get_by_role("dialog").get_by_label("Key", exact=True).select_option(key["id"])
    submit(console, "Add key")
    expect(console.get_by_role("link", name="newcomer")).to_be_visible()
    assert call(own, api, "PUT")[:2] == (403, {"message": "Forbidden"})
    assert call(own, api, "PUT", {"x-api-key": "k" * 40})[:2] == (403, {"message": "Forbidden"})
    assert call(own, api, "PUT", admitted)[:2] == (200, RESULTS)
    assert call(own, api, "PUT", admitted)[:2] == (200, RESULTS)
    assert call(own, api, "PUT", admitted)[:2] == (429, {"message": "Limit Exceeded"})
    assert call(own, api, "POST")[0] == 200
    console.reload()
    expect(console.get_by_role("row").filter(has_text="newcomer")).to_contain_text("2")
    picture("08-usage-plan")


def test_a_function_decides_who_is_let_in(own, console, api, picture):
    function(own, "doorkeeper", DOORKEEPER, HANDLER)
    go(console, f"apis/{api}/authorizers", "calculator")
    console.get_by_role("button", name="Create authorizer").click()
    dialog = console.get_by_role("dialog")
    dialog.get_by_label("Name").fill("doorkeeper")
    dialog.get_by_label("Function", exact=True).fill("doorkeeper")
    submit(console, "Save")
    console.get_by_role("button", name="Test doorkeeper").click()
    console.get_by_label("Headers, one a line").fill("Authorization: open sesame")
    console.get_by_role("button", name="Test", exact=True).click()
    expect(console.get_by_text("✓ let in")).to_be_visible()
    picture("09-authorizer")
    open_method(console, api, "PATCH")
    console.get_by_role("button", name="Edit who may call it").click()
    choice = console.get_by_label("Authorization", exact=True)
    choice.select_option(label="Lambda authorizer: doorkeeper")
    submit(console, "Save")
    expect(console.get_by_text("CUSTOM: doorkeeper")).to_be_visible()
    deploy(console)
    assert call(own, api, "PATCH")[:2] == (401, {"message": "Unauthorized"})
    status, told, _ = call(own, api, "PATCH", {"Authorization": "knock knock"})
    assert status == 403
    assert "not authorized to access this resource" in told["Message"]
    admitted = {"Authorization": "open sesame"}
    assert call(own, api, "PATCH", admitted)[:2] == (200, RESULTS)


def test_only_who_may_and_signs_is_let_in(own, console, api, picture):
    open_method(console, api, "DELETE")
    console.get_by_role("button", name="Edit who may call it").click()
    console.get_by_label("Authorization", exact=True).select_option("AWS_IAM")
    submit(console, "Save")
    expect(console.get_by_text("AWS_IAM")).to_be_visible()
    picture("10-iam")
    deploy(console)
    refused = call(own, api, "DELETE")
    assert refused[:2] == (403, {"message": "Missing Authentication Token"})
    iam = own.client("iam")
    iam.create_user(UserName="somebody")
    made = iam.create_access_key(UserName="somebody")["AccessKey"]
    somebody = (made["AccessKeyId"], made["SecretAccessKey"])
    status, told, _ = call(own, api, "DELETE", identity=somebody)
    assert (status, "is not authorized to perform: execute-api:Invoke" in told["Message"]) == (
        403,
        True,
    )
    arn = f"arn:aws:execute-api:{own.region}:*:{api}/prod/DELETE/calculations"
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="somebody", PolicyName="may", PolicyDocument=document)
    assert call(own, api, "DELETE", identity=somebody)[:2] == (200, RESULTS)
    forged = (somebody[0], "s" * 40)
    assert call(own, api, "DELETE", identity=forged)[0] == 403


def test_a_resource_policy_shuts_an_address_out_and_lets_it_in(own, console, api, picture):
    go(console, f"apis/{api}/policy", "calculator")
    console.get_by_role("button", name="All but these addresses").click()
    area = console.get_by_label("Resource policy")
    area.fill(area.input_value().replace("192.0.2.0/24", "127.0.0.0/8"))
    console.get_by_role("button", name="Save", exact=True).click()
    expect(console.get_by_text("✓ set")).to_be_visible()
    picture("11-policy")
    assert call(own, api)[0] == 200
    deploy(console)
    status, told, _ = call(own, api)
    assert (status, "explicit deny" in told["Message"]) == (403, True)
    go(console, f"apis/{api}/policy", "calculator")
    console.get_by_role("button", name="Remove", exact=True).click()
    expect(console.get_by_text("none: its methods decide")).to_be_visible()
    deploy(console)
    assert call(own, api)[:2] == (200, RESULTS)
    console.get_by_role("button", name="Delete", exact=True).click()
    confirm(console, "calculator")
    expect(console.get_by_role("heading", name="APIs", level=1)).to_be_visible()
