"""Drives the deployed application from outside, as its users do.

Needs in the environment: URL, FUNCTION, API_KEY_ID and DOORKEEPER (the stack's outputs), the key of
an identity that may call the API and make users, and AWS_ENDPOINT_URL where it is not AWS.
HEALTH=open says that this machine is in the operators' range.
"""

import json
import os
import unittest
import urllib.error
import urllib.request
import uuid

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

NUMBERS = '{"Number1": 10, "Number2": 20}'
RESULTS = {"sum": 30, "product": 200, "difference": -10, "quotient": 0.5}
DENIED = "User is not authorized to access this resource with an explicit deny"


class Application(unittest.TestCase):
    def setUp(self):
        self.url = os.environ["URL"]

    def request(self, method, query="", body=None, headers=None, url=""):
        """The status, the body read as JSON, and the headers of the answer."""
        data = None if body is None else body.encode()
        request = urllib.request.Request(
            (url or self.url) + query, data=data, method=method, headers=headers or {}
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read() or "null"), answer.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read()), error.headers

    def assert_admitted(self, answer):
        self.assertEqual(answer[:2], (200, RESULTS))

    def assert_refused(self, answer, status, kind, message):
        self.assertEqual(answer[0], status)
        self.assertEqual(answer[2]["x-amzn-ErrorType"], kind)
        self.assertEqual(answer[1]["message"], message)
        self.assertEqual(answer[2]["Access-Control-Allow-Origin"], "*")


class Calculator(Application):
    def test_post_answers_the_four_results(self):
        self.assert_admitted(self.request("POST", body=NUMBERS))

    def test_get_takes_the_numbers_from_the_query(self):
        status, results, _ = self.request("GET", "?Number1=2.5&Number2=-2")
        self.assertEqual((status, results["sum"], results["product"]), (200, 0.5, -5.0))

    def test_a_missing_number_is_named(self):
        status, body, _ = self.request("POST", body='{"Number1": 10}')
        self.assertEqual((status, body), (400, {"message": "Number2 must be a number"}))

    def test_a_body_that_is_not_json_is_refused(self):
        self.assertEqual(self.request("POST", body="ten and twenty")[0], 400)

    def test_a_zero_divisor_is_told(self):
        status, body, _ = self.request("POST", body='{"Number1": 1, "Number2": 0}')
        self.assertEqual((status, body), (422, {"message": "Number2 must not be zero"}))

    def test_a_resource_that_is_not_there_is_refused_by_the_gateway(self):
        answer = self.request("GET", "/of/tomorrow")
        self.assert_refused(
            answer, 403, "MissingAuthenticationTokenException", "Missing Authentication Token"
        )

    def test_direct_invocation_reports_the_functions_own_error(self):
        client = boto3.client("lambda")
        answer = client.invoke(
            FunctionName=os.environ["FUNCTION"], Payload=b'{"Number1": 1, "Number2": 0}'
        )
        error = json.loads(answer["Payload"].read())
        self.assertEqual(answer["FunctionError"], "Unhandled")
        self.assertEqual(error["errorType"], "ZeroDivisionError")
        self.assertEqual(error["errorMessage"], "division by zero")


class Browsers(Application):
    def test_a_page_of_another_origin_may_ask_first(self):
        asked = {"Origin": "https://page.example", "Access-Control-Request-Method": "PUT"}
        status, _, headers = self.request("OPTIONS", headers=asked)
        self.assertEqual(status, 200)
        self.assertEqual(headers["Access-Control-Allow-Origin"], "*")
        self.assertIn("PUT", headers["Access-Control-Allow-Methods"])
        self.assertIn("X-Api-Key", headers["Access-Control-Allow-Headers"])

    def test_answers_may_be_read_by_that_page(self):
        _, _, headers = self.request("POST", body=NUMBERS)
        self.assertEqual(headers["Access-Control-Allow-Origin"], "*")


class ApiKey(Application):
    """PUT asks for the key of the usage plan."""

    def test_without_a_key_it_is_refused(self):
        answer = self.request("PUT", body=NUMBERS)
        self.assert_refused(answer, 403, "ForbiddenException", "Forbidden")

    def test_with_another_key_it_is_refused(self):
        answer = self.request("PUT", body=NUMBERS, headers={"x-api-key": "k" * 40})
        self.assert_refused(answer, 403, "ForbiddenException", "Forbidden")

    def test_with_the_key_it_is_admitted_and_counted(self):
        client = boto3.client("apigateway")
        key_id = os.environ["API_KEY_ID"]
        key = client.get_api_key(apiKey=key_id, includeValue=True)["value"]
        self.assert_admitted(self.request("PUT", body=NUMBERS, headers={"x-api-key": key}))
        [plan] = client.get_usage_plans(keyId=key_id)["items"]
        self.assertEqual(plan["quota"]["limit"], 10000)


class LambdaAuthorizer(Application):
    """PATCH asks the doorkeeper, a function."""

    def patch(self, token=None):
        headers = {} if token is None else {"Authorization": token}
        return self.request("PATCH", body=NUMBERS, headers=headers)

    def test_without_a_token_it_is_refused(self):
        self.assert_refused(self.patch(), 401, "UnauthorizedException", "Unauthorized")

    def test_a_token_of_another_form_is_refused_unasked(self):
        self.assert_refused(self.patch("Basic eA=="), 401, "UnauthorizedException", "Unauthorized")

    def test_a_stranger_is_refused(self):
        self.assert_refused(self.patch("Bearer hello"), 403, "AccessDeniedException", DENIED)

    def test_who_knows_the_passphrase_is_admitted(self):
        configuration = boto3.client("lambda").get_function_configuration(
            FunctionName=os.environ["DOORKEEPER"]
        )
        passphrase = configuration["Environment"]["Variables"]["PASSPHRASE"]
        self.assert_admitted(self.patch(f"Bearer {passphrase}"))


class Signature(Application):
    """DELETE asks for a signature of an identity that may invoke the API."""

    def delete(self, session=None):
        query = "?Number1=10&Number2=20"
        headers = {}
        if session is not None:
            signed = AWSRequest("DELETE", self.url + query)
            region = session.region_name or "us-east-1"
            SigV4Auth(session.get_credentials(), "execute-api", region).add_auth(signed)
            headers = dict(signed.headers)
        return self.request("DELETE", query, headers=headers)

    def test_without_a_signature_it_is_refused(self):
        self.assert_refused(
            self.delete(), 403, "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        )  # fmt: skip

    def test_the_signature_of_an_identity_that_may_is_admitted(self):
        self.assert_admitted(self.delete(boto3.Session()))

    def test_a_signature_with_another_secret_is_refused(self):
        mine = boto3.Session()
        key = mine.get_credentials().access_key
        answer = self.delete(boto3.Session(key, "s" * 40, region_name=mine.region_name))
        self.assertEqual(answer[0], 403)
        self.assertEqual(answer[2]["x-amzn-ErrorType"], "InvalidSignatureException")

    def test_an_identity_without_permission_is_refused(self):
        """The resource policy lets everyone in, so it takes a Deny of the identity's own."""
        iam = boto3.client("iam")
        name = f"calculator-{uuid.uuid4().hex[:8]}"
        iam.create_user(UserName=name)
        statement = {"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        iam.put_user_policy(UserName=name, PolicyName="no", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        try:
            session = boto3.Session(
                key["AccessKeyId"], key["SecretAccessKey"], region_name=boto3.Session().region_name
            )
            answer = self.delete(session)
            self.assertEqual(answer[0], 403)
            self.assertEqual(answer[2]["x-amzn-ErrorType"], "AccessDeniedException")
            self.assertIn("explicit deny", answer[1]["message"])
        finally:
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
            iam.delete_user_policy(UserName=name, PolicyName="no")
            iam.delete_user(UserName=name)


class ResourcePolicy(Application):
    """The API's own policy lets only operators ask for its health."""

    def test_health_is_told_to_operators_alone(self):
        answer = self.request("GET", url=self.url.replace("/calculations", "/health"))
        if os.environ.get("HEALTH") == "open":
            self.assertEqual(answer[:2], (200, {"status": "ok"}))
        else:
            self.assertEqual(answer[0], 403)
            self.assertEqual(answer[2]["x-amzn-ErrorType"], "AccessDeniedException")
            self.assertIn("explicit deny", answer[1]["message"])


if __name__ == "__main__":
    unittest.main()
