"""Drives the deployed application from outside, as its users do.

Needs the package `websockets`, and in the environment: the stack's outputs API, SOCKET, USER_POOL,
CLIENT, UNANSWERED and PAGE; the key of an identity that may confirm users and read the queue of
dead letters; and AWS_ENDPOINT_URL where it is not AWS. QUOTA says what a user may ask in a month,
at least 4; it is used up. With ECHO=1 the model is known to repeat what it hears.
"""

import json
import os
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor

import boto3
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

PATIENCE_SECONDS = 90
PASSWORD = "Correct-Horse-7-Battery"
REPEAT_SECONDS, REPEAT_SECONDS_MAX = 3, 15


class User:
    """Someone who has signed up, is confirmed, and is signed in."""

    def __init__(self, values=None, users=None):
        values = values or os.environ
        self.api = values["API"].rstrip("/")
        self.socket_url = values["SOCKET"]
        users = users or boto3.client("cognito-idp")
        self.name = f"{uuid.uuid4().hex}@example.com"
        known = {"ClientId": values["CLIENT"], "Username": self.name}
        users.sign_up(
            **known, Password=PASSWORD, UserAttributes=[{"Name": "email", "Value": self.name}]
        )
        users.admin_confirm_sign_up(UserPoolId=values["USER_POOL"], Username=self.name)
        signed_in = users.admin_initiate_auth(
            UserPoolId=values["USER_POOL"],
            ClientId=values["CLIENT"],
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": self.name, "PASSWORD": PASSWORD},
        )["AuthenticationResult"]
        self.id_token, self.access_token = signed_in["IdToken"], signed_in["AccessToken"]

    def call(self, method, path, body=None, token=None):
        """The status, the body read as JSON, and the headers of one answer of the API."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.api + path, data, method=method)
        request.add_header("Authorization", self.id_token if token is None else token)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=40) as answer:
                return answer.status, json.loads(answer.read()), answer.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read()), error.headers

    def ask(self, text, request=None):
        request = request or str(uuid.uuid4())
        body = {"id": request, "messages": [{"role": "user", "text": text}]}
        return self.call("POST", "/requests", body)

    def quota(self):
        return self.call("GET", "/quota")[1]

    def connect(self, token=None):
        chosen = urllib.parse.quote(self.access_token if token is None else token)
        return connect(f"{self.socket_url}?token={chosen}", open_timeout=30, compression=None)


class Answer:
    """One answer as a client sees it: nothing twice, nothing missed, nothing out of order."""

    def __init__(self, request):
        self.request = request
        self.attempt = 0
        self.texts = []
        self.end = None
        self.total = None
        self.repeated = 0

    @property
    def text(self):
        return "".join(self.texts)

    def hear(self, message):
        """Take a message in; False when pieces before it are missing."""
        if message.get("id") != self.request:
            return True  # Another's, or the gateway's word that it could not reach a function.
        kind = message["type"]
        if kind in ("failed", "unknown"):
            self.end = kind
        elif kind in ("pieces", "end") and message["attempt"] >= self.attempt:
            if message["attempt"] > self.attempt:
                self.attempt, self.texts, self.total = message["attempt"], [], None
            if kind == "end":
                self.total = message["total"]
            elif message["first"] > len(self.texts):
                return False
            else:
                self.repeated += min(len(message["texts"]), len(self.texts) - message["first"])
                self.texts += message["texts"][len(self.texts) - message["first"] :]
        if self.total is not None and len(self.texts) == self.total:
            self.end = "end"
        return self.total is None or len(self.texts) == self.total

    def resumption(self):
        place = {"attempt": self.attempt, "next": len(self.texts)}
        return json.dumps({"action": "resume", "id": self.request, **place})


def follow(socket, answer, patience=PATIENCE_SECONDS, until=None):
    """Listen until the answer has ended (or `until` holds), asking for what is missed."""
    deadline, pause = time.monotonic() + patience, REPEAT_SECONDS
    while answer.end is None and not (until and until(answer)):
        if time.monotonic() > deadline:
            raise AssertionError(f"no end of {answer.request} after {answer.text!r}")
        try:
            complete = answer.hear(json.loads(socket.recv(timeout=pause)))
            pause = REPEAT_SECONDS
        except TimeoutError:
            complete, pause = False, min(pause * 2, REPEAT_SECONDS_MAX)
        if not complete:
            socket.send(answer.resumption())
    return answer


class Chat(unittest.TestCase):
    def setUp(self):
        self.user = User()

    def asked(self, text):
        status, body, _ = self.user.ask(text)
        self.assertEqual(status, 202, body)
        return Answer(body["id"])

    def test_an_answer_comes_in_numbered_pieces(self):
        with self.user.connect() as socket:
            answer = follow(socket, self.asked("Say hello to me, please."))
        self.assertEqual((answer.end, answer.attempt), ("end", 1))
        self.assertGreater(len(answer.texts), 1)
        if os.environ.get("ECHO"):
            self.assertEqual(answer.text.strip(), "You said: Say hello to me, please.")

    def test_a_client_that_comes_back_resumes_where_it_was(self):
        with self.user.connect() as socket:
            answer = self.asked("count 60 at 40")
            follow(socket, answer, until=lambda so_far: len(so_far.texts) > 2)
        known = len(answer.texts)
        with self.user.connect() as socket:
            socket.send(answer.resumption())
            follow(socket, answer)
        self.assertEqual((answer.end, answer.attempt), ("end", 1))
        self.assertGreater(len(answer.texts), known)
        if os.environ.get("ECHO"):
            self.assertEqual(answer.text, "".join(f"{n} " for n in range(60)))

    def test_a_client_that_comes_late_gets_all_of_it(self):
        answer = self.asked("Say hello, please.")
        with self.user.connect() as first:
            follow(first, answer)
        again = Answer(answer.request)
        with self.user.connect() as socket:
            socket.send(again.resumption())
            follow(socket, again)
        self.assertEqual(again.text, answer.text)

    def test_the_same_request_twice_is_one(self):
        request = str(uuid.uuid4())
        with ThreadPoolExecutor(4) as callers:
            found = list(callers.map(lambda _: self.user.ask("Say hello.", request), range(4)))
        self.assertEqual([status for status, *_ in found], [202] * 4)
        self.assertEqual(self.user.quota()["used"], 1)
        with self.user.connect() as socket:
            self.assertEqual(follow(socket, Answer(request)).attempt, 1)

    def test_the_quota_is_told_and_held(self):
        limit = int(os.environ["QUOTA"])
        self.assertEqual(self.user.quota()["remaining"], limit)
        statuses = []
        for number in range(limit + 1):
            status, body, headers = self.user.ask(f"This is number {number}.")
            statuses.append(status)
            self.assertEqual(headers["X-Quota-Remaining"], str(max(0, limit - number - 1)))
            self.assertEqual((headers["X-Quota-Limit"], body["limit"]), (str(limit), limit))
        self.assertEqual(statuses, [202] * limit + [429])
        self.assertIn(f"the {limit} requests of this month are used up", body["message"])
        self.assertEqual((body["used"], body["remaining"]), (limit, 0))
        self.assertRegex(body["resets"], r"^\d{4}-\d\d-01T00:00:00Z$")

    def test_bad_requests_are_refused_and_not_counted(self):
        good = {"id": str(uuid.uuid4()), "messages": [{"role": "user", "text": "Hello"}]}
        for wrong, said in (
            ({"id": "short"}, "id must have 8 to 64"),
            ({"id": 7}, "id must have 8 to 64"),
            ({"messages": []}, "messages must be a list"),
            ({"messages": [{"role": "assistant", "text": "Hello"}]}, "by turns"),
            ({"messages": [{"role": "user", "text": " "}]}, "text must have"),
            ({"messages": [{"role": "user", "text": "x" * 8_001}]}, "text must have"),
            (
                {"messages": [{"role": r, "text": "x"} for r in ("user", "assistant")]},
                "the last message",
            ),
        ):
            with self.subTest(said):
                status, body, _ = self.user.call("POST", "/requests", {**good, **wrong})
                self.assertEqual((status, said in body["message"]), (400, True), body)
        self.assertEqual(self.user.quota()["used"], 0)

    def test_nobody_hears_what_another_asked(self):
        answer = self.asked("Say hello.")
        stranger = User()
        with stranger.connect() as socket:
            socket.send(Answer(answer.request).resumption())
            heard = json.loads(socket.recv(timeout=PATIENCE_SECONDS))
        self.assertEqual(heard, {"type": "unknown", "id": answer.request})


class Doors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.user = User()

    def refused(self, token):
        """The status with which a socket is refused."""
        try:
            with self.user.connect(token) as socket:
                socket.recv(timeout=1)
        except InvalidStatus as refusal:
            return refusal.response.status_code
        except (ConnectionClosed, TimeoutError):
            return None
        return None

    def test_the_api_wants_the_pools_token(self):
        for token in ("", "x", self.user.id_token[:-8] + "AAAAAAAA"):
            with self.subTest(token[:10]):
                self.assertEqual(self.user.call("GET", "/quota", token=token)[0], 401)

    def test_the_socket_wants_a_true_access_token(self):
        head, claims, signature = self.user.access_token.split(".")
        nobody = "eyJhbGciOiJub25lIn0"
        for token in (
            "x",
            "a.b.c",
            self.user.id_token,
            f"{nobody}.{claims}.",
            f"{nobody}.{claims}.{signature}",
            f"{head}.{claims}.{signature[:-8]}AAAAAAAA",
            f"{head}.{claims[:-4]}AAAA.{signature}",
            "x" * 9_000,
        ):
            with self.subTest(token[:20]):
                self.assertIn(self.refused(token), (401, 431, 400, 414))

    def test_without_a_token_no_socket_opens(self):
        with self.assertRaises(InvalidStatus) as caught:
            connect(self.user.socket_url, open_timeout=30).__enter__()
        self.assertEqual(caught.exception.response.status_code, 401)

    def test_the_page_is_served_with_what_it_must_know(self):
        with urllib.request.urlopen(os.environ["PAGE"], timeout=20) as answer:
            page = answer.read().decode()
        self.assertIn("<title>", page)
        place = os.environ["PAGE"].rstrip("/") + "/config.json"
        with urllib.request.urlopen(place, timeout=20) as answer:
            self.assertEqual(answer.headers["Content-Type"], "application/json")
            config = json.loads(answer.read())
        self.assertEqual(config["userPoolId"], os.environ["USER_POOL"])
        self.assertEqual(config["clientId"], os.environ["CLIENT"])


@unittest.skipUnless(os.environ.get("ECHO"), "only a model that is told to fails")
class Failures(unittest.TestCase):
    def test_what_cannot_be_answered_is_told_and_kept_as_a_dead_letter(self):
        user = User()
        with user.connect() as socket:
            status, body, _ = user.ask("fail this")
            self.assertEqual(status, 202)
            self.assertEqual(follow(socket, Answer(body["id"])).end, "failed")
        queue, deadline = boto3.client("sqs"), time.monotonic() + PATIENCE_SECONDS
        found = []
        while body["id"] not in found and time.monotonic() < deadline:
            letters = queue.receive_message(
                QueueUrl=os.environ["UNANSWERED"], WaitTimeSeconds=5, MaxNumberOfMessages=10
            ).get("Messages", [])
            found += [json.loads(letter["Body"])["id"] for letter in letters]
        self.assertIn(body["id"], found)
        self.assertEqual(user.quota()["used"], 1)

    def test_an_answer_that_broke_off_begins_anew(self):
        user, text = User(), f"stumble {uuid.uuid4().hex} over some more words"
        with user.connect() as socket:
            answer = Answer(user.ask(text)[1]["id"])
            follow(socket, answer)
        self.assertEqual((answer.end, answer.attempt), ("end", 2))
        self.assertEqual(answer.text.strip(), f"You said: {text}")


if __name__ == "__main__":
    unittest.main()
