"""Drives one environment of the deployed application from outside, as its users do.

Needs the first record of `generate.py` in the table, and in the environment: URL, API_KEY_ID and
ACCESS_LOG (the stack's outputs), the key of an identity that may read the API's key and its log,
and AWS_ENDPOINT_URL where it is not AWS.
"""

import json
import os
import threading
import time
import unittest
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import boto3
import generate

ACROSS = ("acceleration", "braking", "cornering", "speed", "phone", "fatigue")
PATIENCE_SECONDS = 120
CALLERS = 32
UNKNOWN = generate.record_id(generate.IDS - 1)


class Application(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        client = boto3.client("apigateway")
        found = client.get_api_key(apiKey=os.environ["API_KEY_ID"], includeValue=True)
        cls.key = found["value"]

    def ask(self, person, key=None, method="GET"):
        """The status, the body read as JSON, and the headers of one answer."""
        request = urllib.request.Request(f"{os.environ['URL']}/{person}", method=method)
        if key is not None:
            request.add_header("x-api-key", key)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read()), answer.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read()), error.headers

    def read(self, person):
        """As `ask` with the key; waits, as a client should, when it asked too often."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            found = self.ask(person, self.key)
            if found[0] != 429 or time.monotonic() > deadline:
                return found
            threading.Event().wait(0.3)


class Scores(Application):
    def test_a_score_is_told_with_its_components(self):
        expected = generate.record(0)
        status, told, headers = self.read(expected["id"])
        self.assertEqual(status, 200)
        self.assertEqual(told.pop("components"), {name: expected.pop(name) for name in ACROSS})
        self.assertEqual(told, expected)
        self.assertEqual(headers["Content-Type"], "application/json")
        self.assertEqual(headers["Cache-Control"], "no-store")

    def test_an_id_that_nobody_has_is_not_found(self):
        self.assertEqual(self.read(UNKNOWN)[:2], (404, {"message": "nobody has this id"}))

    def test_what_is_no_id_is_refused(self):
        for text in ("1", "abcdefghijkl", "3141592653120", "%20%20", "..%2f..", "３14159265312"):
            with self.subTest(text):
                self.assertEqual(self.read(urllib.request.quote(text, safe="%"))[0], 400)

    def test_a_mistyped_id_is_refused(self):
        right = generate.record_id(0)
        for wrong in (right[:3] + "7" + right[4:], right[1] + right[0] + right[2:]):
            with self.subTest(wrong):
                self.assertEqual(self.read(wrong)[0], 400)

    def test_scores_can_only_be_read(self):
        for method in ("POST", "PUT", "DELETE"):
            with self.subTest(method):
                status, body, _ = self.ask(generate.record_id(0), self.key, method)
                self.assertEqual((status, body["message"]), (403, "Missing Authentication Token"))


class Keys(Application):
    def test_without_a_key_it_is_refused(self):
        status, body, headers = self.ask(generate.record_id(0))
        self.assertEqual((status, body["message"]), (403, "Forbidden"))
        self.assertEqual(headers["x-amzn-ErrorType"], "ForbiddenException")

    def test_with_another_key_it_is_refused(self):
        self.assertEqual(self.ask(generate.record_id(0), "k" * 40)[0], 403)

    def test_who_asks_too_often_is_refused_until_they_wait(self):
        person = generate.record_id(0)
        client = boto3.client("apigateway")
        [plan] = client.get_usage_plans(keyId=os.environ["API_KEY_ID"])["items"]
        count = int(plan["throttle"]["burstLimit"] + plan["throttle"]["rateLimit"]) * 4
        found, deadline = [], time.monotonic() + PATIENCE_SECONDS
        with ThreadPoolExecutor(CALLERS) as callers:
            # A busy machine may be too slow to ask too often at the first attempt.
            while 429 not in {answer[0] for answer in found} and time.monotonic() < deadline:
                found += callers.map(lambda _: self.ask(person, self.key), range(count))
        self.assertEqual({answer[0] for answer in found}, {200, 429})
        refused = next(answer for answer in found if answer[0] == 429)
        self.assertEqual(refused[1]["message"], "Too Many Requests")
        self.assertEqual(refused[2]["x-amzn-ErrorType"], "TooManyRequestsException")
        self.assertEqual(self.read(person)[0], 200)


class AccessLog(Application):
    def test_each_call_is_logged(self):
        before = int(time.time() * 1000) - 60_000
        wanted = {
            self.read(generate.record_id(0))[2]["x-amzn-RequestId"]: "200",
            self.read(UNKNOWN)[2]["x-amzn-RequestId"]: "404",
            self.ask(UNKNOWN)[2]["x-amzn-RequestId"]: "403",
        }
        for request_id, status in wanted.items():
            entry = self.entry_of(request_id, before)
            self.assertEqual(entry["status"], status)
            self.assertEqual((entry["method"], entry["resource"]), ("GET", "/scores/{id}"))
            self.assertGreaterEqual(int(entry["latencyMs"]), 0)
            self.assertGreaterEqual(int(entry["time"]), before)
            self.assertRegex(entry["sourceIp"], r"^[0-9a-f.:]+$")

    def entry_of(self, request_id, since):
        client = boto3.client("logs")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found = client.filter_log_events(
                logGroupName=os.environ["ACCESS_LOG"],
                startTime=since,
                filterPattern=f'{{ $.requestId = "{request_id}" }}',
            )
            if found["events"]:
                return json.loads(found["events"][0]["message"])
            threading.Event().wait(0.3)
        return self.fail(f"{request_id} is not in the access log")


if __name__ == "__main__":
    unittest.main()
