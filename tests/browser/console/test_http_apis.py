"""HTTP and WebSocket APIs made and called from the console alone; boto3 sees each effect."""

import json
import urllib.request
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from tests.browser.steps import confirm, function, go, look_over, submit

HELLO = """def handler(event, context):
    return {"hello": event["pathParameters"]["name"]}
"""
ECHO = """import json, os, boto3
def handler(event, context):
    about = event["requestContext"]
    if about["routeKey"] == "echo":
        place = f"/_aws/execute-api/{about['apiId']}/{about['stage']}"
        url = os.environ["AWS_ENDPOINT_URL"] + place
        client = boto3.client("apigatewaymanagementapi", endpoint_url=url)
        word = json.loads(event["body"])["word"]
        client.post_to_connection(ConnectionId=about["connectionId"], Data=word[::-1].encode())
    return {"statusCode": 200}
"""


@pytest.fixture
def gateway(cloud):
    return cloud.client("apigatewayv2")


def create(page, gateway, name, kind):
    go(page, "apis", "APIs")
    page.get_by_role("button", name="Create API").click()
    page.get_by_role("dialog").get_by_label(kind).check()
    page.get_by_label("API name").fill(name)
    submit(page, "Create API")
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    return next(one["ApiId"] for one in gateway.get_apis()["Items"] if one["Name"] == name)


def backend(page, called):
    page.get_by_role("tab", name="Backends").click()
    page.get_by_role("button", name="Create backend").click()
    page.get_by_role("dialog").get_by_label("Function", exact=True).fill(called)
    submit(page, "Create backend")
    expect(page.get_by_role("button", name=f"Edit backend {called}")).to_be_visible()
    page.get_by_role("tab", name="Routes").click()


def test_an_http_api_from_route_to_cors(cloud, console, gateway):
    function(cloud, "console-hello", HELLO)
    api = create(console, gateway, "console-http", "HTTP: simple")
    backend(console, "console-hello")
    console.get_by_role("button", name="Create route").click()
    dialog = console.get_by_role("dialog")
    dialog.get_by_label("Method", exact=True).select_option("GET")
    dialog.get_by_label("Path", exact=True).fill("/hello/{name}")
    submit(console, "Create route")
    expect(console.get_by_role("button", name="Edit route GET /hello/{name}")).to_be_visible()
    assert not look_over(console)
    console.get_by_role("tab", name="Stages").click()
    console.get_by_role("button", name="Create stage").click()
    dialog.get_by_label("Calls a second").fill("40")
    dialog.get_by_label("At once").fill("30")
    submit(console, "Create stage")
    expect(console.get_by_role("heading", name="$default", level=2)).to_be_visible()
    address = console.locator("code.address").inner_text()
    path = urlsplit(address).path
    with urllib.request.urlopen(cloud.endpoint + path + "hello/ada", timeout=30) as answer:
        assert json.loads(answer.read()) == {"hello": "ada"}
    stage = gateway.get_stage(ApiId=api, StageName="$default")
    assert stage["AutoDeploy"]
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 40.0

    console.get_by_role("tab", name="CORS").click()
    console.get_by_label("Allowed origins").fill("https://page.example")
    console.get_by_role("group", name="Allowed methods").get_by_label("GET").check()
    console.get_by_role("button", name="Save", exact=True).click()
    expect(console.get_by_text("✓ on")).to_be_visible()
    cors = gateway.get_api(ApiId=api)["CorsConfiguration"]
    assert (cors["AllowOrigins"], cors["AllowMethods"]) == (["https://page.example"], ["GET"])
    console.get_by_role("button", name="Turn off").click()
    expect(console.get_by_role("button", name="Turn off")).to_have_count(0)
    assert "CorsConfiguration" not in gateway.get_api(ApiId=api)

    console.get_by_role("tab", name="Authorizers").click()
    console.get_by_role("button", name="Create authorizer").click()
    dialog.get_by_label("Name").fill("gate")
    dialog.get_by_label("Kind").select_option("REQUEST")
    dialog.get_by_label("Function", exact=True).fill("console-hello")
    submit(console, "Save")
    expect(console.get_by_role("button", name="Edit gate")).to_be_visible()
    console.get_by_role("tab", name="Routes").click()
    console.get_by_role("button", name="Edit route GET /hello/{name}").click()
    dialog.get_by_label("Authorization", exact=True).select_option(label="REQUEST authorizer: gate")
    submit(console, "Save")
    expect(console.get_by_role("cell", name="gate")).to_be_visible()
    route = gateway.get_routes(ApiId=api)["Items"][0]
    assert route["AuthorizationType"] == "CUSTOM"
    console.get_by_role("button", name="Delete route GET /hello/{name}").click()
    confirm(console, "GET /hello/{name}")
    expect(console.get_by_text("No routes yet")).to_be_visible()
    assert gateway.get_routes(ApiId=api)["Items"] == []


def test_a_websocket_api_answers_in_the_page(cloud, console, gateway):
    function(cloud, "console-echo", ECHO)
    iam = cloud.client("iam")
    manage = {"Effect": "Allow", "Action": "execute-api:ManageConnections", "Resource": "*"}
    iam.put_role_policy(
        RoleName="console-echo",
        PolicyName="answers",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [manage]}),
    )
    api = create(console, gateway, "console-socket", "WebSocket: both")
    backend(console, "console-echo")
    for key in ("$connect", "echo"):
        console.get_by_role("button", name="Create route").click()
        console.get_by_role("dialog").get_by_label("Route key").fill(key)
        submit(console, "Create route")
        expect(console.get_by_role("button", name=f"Edit route {key}")).to_be_visible()
    console.get_by_role("button", name="Deploy", exact=True).click()
    console.get_by_role("dialog").get_by_label("Stage").fill("live")
    submit(console, "Deploy")
    expect(console.get_by_role("heading", name="live", level=2)).to_be_visible()
    assert gateway.get_stage(ApiId=api, StageName="live")["DeploymentId"]
    console.get_by_role("tab", name="Try it").click()
    console.get_by_role("button", name="Connect").click()
    expect(console.get_by_text("✓ connected")).to_be_visible()
    console.get_by_label("Message").fill('{"action": "echo", "word": "stressed"}')
    console.get_by_role("button", name="Send").click()
    expect(console.get_by_role("log")).to_contain_text("← desserts")
    assert not look_over(console)
    console.get_by_role("button", name="Close").click()
    expect(console.get_by_text("✗ not connected")).to_be_visible()
