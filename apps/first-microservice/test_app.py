"""Drives the deployed application from outside; needs URL and FUNCTION in the environment."""

import json
import os
import unittest
import urllib.error
import urllib.request

import boto3


class Calculator(unittest.TestCase):
    def setUp(self):
        self.url = os.environ["URL"]
        self.function = os.environ["FUNCTION"]

    def request(self, method, query="", body=None):
        data = None if body is None else body.encode()
        request = urllib.request.Request(self.url + query, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def test_post_answers_the_four_results(self):
        status, results = self.request("POST", body='{"Number1": 10, "Number2": 20}')
        expected = {"sum": 30, "product": 200, "difference": -10, "quotient": 0.5}
        self.assertEqual((status, results), (200, expected))

    def test_get_takes_the_numbers_from_the_query(self):
        status, results = self.request("GET", "?Number1=2.5&Number2=-2")
        self.assertEqual((status, results["sum"], results["product"]), (200, 0.5, -5.0))

    def test_a_missing_number_is_named(self):
        status, body = self.request("POST", body='{"Number1": 10}')
        self.assertEqual((status, body), (400, {"message": "Number2 must be a number"}))

    def test_a_body_that_is_not_json_is_refused(self):
        status, _ = self.request("POST", body="ten and twenty")
        self.assertEqual(status, 400)

    def test_a_zero_divisor_is_told(self):
        status, body = self.request("POST", body='{"Number1": 1, "Number2": 0}')
        self.assertEqual((status, body), (422, {"message": "Number2 must not be zero"}))

    def test_a_method_that_is_not_there_is_refused_by_the_gateway(self):
        status, body = self.request("DELETE")
        self.assertEqual((status, body), (403, {"message": "Missing Authentication Token"}))

    def test_direct_invocation_reports_the_functions_own_error(self):
        client = boto3.client("lambda")
        answer = client.invoke(FunctionName=self.function, Payload=b'{"Number1": 1, "Number2": 0}')
        error = json.loads(answer["Payload"].read())
        self.assertEqual(answer["FunctionError"], "Unhandled")
        self.assertEqual(error["errorType"], "ZeroDivisionError")
        self.assertEqual(error["errorMessage"], "division by zero")


if __name__ == "__main__":
    unittest.main()
