from cumulet.core.http import BytesBody, Request
from cumulet.wire.codec import read_request, write_response
from cumulet.wire.protocols.aws_query import action_of, version_of


def test_the_action_is_found_wherever_it_is():
    post = Request("POST", "/")
    assert action_of(post, b"Version=2010-05-08&Action=GetUser") == "GetUser"
    assert version_of(post, b"Version=2010-05-08&Action=GetUser") == "2010-05-08"
    assert action_of(post, b"XAction=GetUser&A=Action=B") == ""
    get = Request("GET", "/", "Action=GetCallerIdentity&Version=2011-06-15")
    assert (action_of(get, b""), version_of(get, b"")) == ("GetCallerIdentity", "2011-06-15")


def test_a_get_is_read_from_its_query(catalog):
    model = catalog.service("sts")
    request = Request("GET", "/", "Action=AssumeRole&RoleArn=a%2Fb&Tags.member.1.Key=k")
    members = read_request(model, model.operation("AssumeRole"), "query", request, b"")
    assert members == {"RoleArn": "a/b", "Tags": [{"Key": "k"}]}


def test_empty_lists_and_maps_are_read_as_such(catalog):
    model = catalog.service("cloudformation")
    body = b"StackName=s&Parameters=&Capabilities.member.1=CAPABILITY_IAM&Capabilities="
    request = Request("POST", "/", body=BytesBody(body))
    members = read_request(model, model.operation("CreateStack"), "query", request, body)
    assert members == {
        "StackName": "s",
        "Parameters": [],
        "Capabilities": ["CAPABILITY_IAM"],
    }


def test_an_operation_without_output_answers_its_id(catalog):
    model = catalog.service("iam")
    response = write_response(model, model.operation("DeleteUser"), "query", None, "the-id")
    assert response.body.decode() == (
        '<DeleteUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ResponseMetadata>'
        "<RequestId>the-id</RequestId></ResponseMetadata></DeleteUserResponse>"
    )
    assert dict(response.headers)["content-type"] == "text/xml"
