"""Drives the deployed application from outside, as its users do.

In the environment: URL (the output ApiUrl), MEDIA_BUCKET, USERS_TABLE and SIGNING_KEY (the outputs
MediaBucket, UsersTable and SigningKeyName), the key of an identity that may read them, and
AWS_ENDPOINT_URL where it is not AWS.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import threading
import time
import unittest
import urllib.error
import urllib.request

import boto3

PATIENCE_SECONDS = 30
MIB = 1024 * 1024
PASSWORD = "correct horse battery staple"


def ask(method, path, body=None, token=None):
    """The status, and the answer read as JSON where it is JSON."""
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    url = os.environ["URL"].rstrip("/") + path
    return answered(urllib.request.Request(url, data=data, method=method, headers=headers))


def answered(request):
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, understood(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, understood(error)


def understood(answer):
    body = answer.read()
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    return json.loads(body) if body and is_json else body


def put(url, data, headers=None):
    """The status and the ETag with which storage answers."""
    request = urllib.request.Request(url, data=data, method="PUT", headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers["ETag"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, None


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers


def signed(claims, key, algorithm="HS256"):
    """A token as anybody can make one who has the key."""

    def part(value):
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        return base64.urlsafe_b64encode(text).rstrip(b"=").decode()

    told = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}"
    digest = hmac.new(key.encode(), told.encode(), hashlib.sha256).digest()
    return f"{told}.{part(digest if algorithm == 'HS256' else b'')}"


def claims_of(token):
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


class Application(unittest.TestCase):
    def new_user(self):
        """The name of somebody new."""
        name = f"user-{secrets.token_hex(6)}"
        given = {"username": name, "password": PASSWORD}
        self.assertEqual(ask("POST", "/signup", given)[0], 201)
        return name

    def log_in(self, name):
        status, told = ask("POST", "/login", {"username": name, "password": PASSWORD})
        self.assertEqual(status, 200, told)
        return told["access_token"]

    def somebody(self):
        return self.log_in(self.new_user())

    def send(self, token, name, data, kind="text/plain"):
        """Upload one file in one piece, and wait until it is recorded; returns its id."""
        wanted = {"name": name, "size": len(data), "type": kind}
        status, told = ask("POST", "/service/upload", wanted, token)
        self.assertEqual(status, 201, told)
        self.assertEqual(put(told["url"], data, told["headers"])[0], 200)
        return self.recorded(token, told["id"])["id"]

    def recorded(self, token, file_id):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            status, found = ask("GET", f"/service/files/{file_id}", token=token)
            self.assertEqual(status, 200, found)
            if found["state"] == "finished":
                return found
            threading.Event().wait(0.1)
        return self.fail(f"{file_id} was not recorded")


class Users(Application):
    def test_a_name_is_one_person_s_however_it_is_written(self):
        name = self.new_user()
        again = {"username": name.upper(), "password": PASSWORD}
        self.assertEqual(ask("POST", "/signup", again), (409, {"detail": "this name is taken"}))
        self.assertEqual(ask("POST", "/login", again)[0], 200)

    def test_names_and_passwords_that_will_not_do_are_refused_and_not_said_again(self):
        for name, password in (
            ("ab", PASSWORD), ("two words", PASSWORD), ("<b>", PASSWORD), ("fine", "brief"),
            ("somebody", "I am somebody else"), ("fine", "x" * 129),
        ):  # fmt: skip
            with self.subTest(name=name, password=password):
                status, told = ask("POST", "/signup", {"username": name, "password": password})
                self.assertEqual(status, 422)
                self.assertNotIn(password, json.dumps(told))

    def test_a_wrong_password_and_an_unknown_name_are_refused_alike(self):
        known = {"username": self.new_user(), "password": "wrong, quite wrong"}
        unknown = {"username": f"nobody-{secrets.token_hex(6)}", "password": PASSWORD}
        refused = (401, {"detail": "the name or the password is wrong"})
        self.assertEqual(ask("POST", "/login", known), refused)
        self.assertEqual(ask("POST", "/login", unknown), refused)

    def test_who_guesses_is_stopped(self):
        name = self.new_user()
        wrong = {"username": name, "password": "wrong, quite wrong"}
        # Should a quarter of an hour end in the middle, the count begins anew, once.
        found = [ask("POST", "/login", wrong)[0] for _ in range(22)]
        self.assertEqual(set(found), {401, 429})

    def test_only_a_memory_hard_hash_of_the_password_is_kept(self):
        name = self.new_user()
        table = boto3.resource("dynamodb").Table(os.environ["USERS_TABLE"])
        kept = table.get_item(Key={"name": name})["Item"]
        self.assertRegex(kept["password"], r"^\$argon2id\$v=19\$m=19456,t=2,p=1\$")
        self.assertNotIn(PASSWORD, json.dumps(kept, default=str))


class Tokens(Application):
    def refused(self, token):
        self.assertEqual(
            ask("GET", "/service/files", token=token), (401, {"detail": "log in first"})
        )

    def key(self):
        found = boto3.client("ssm").get_parameter(
            Name=os.environ["SIGNING_KEY"], WithDecryption=True
        )
        return found["Parameter"]["Value"]

    def test_a_token_lasts_for_ten_minutes(self):
        name = self.new_user()
        given = {"username": name, "password": PASSWORD}
        told = ask("POST", "/login", given)[1]
        claims = claims_of(told["access_token"])
        self.assertEqual((told["expires_in"], told["token_type"]), (600, "bearer"))
        self.assertEqual(claims["exp"] - claims["iat"], 600)

    def test_without_a_token_nothing_is_served(self):
        one = f"{0:028x}"
        for method, path in (
            ("GET", "/service/files"), ("GET", f"/service/files/{one}"),
            ("DELETE", f"/service/files/{one}"), ("POST", "/service/upload"),
            ("POST", "/service/multipart"), ("GET", f"/service/multipart/{one}"),
            ("POST", f"/service/multipart/{one}/urls"), ("DELETE", f"/service/multipart/{one}"),
            ("POST", f"/service/multipart/{one}/complete"), ("POST", "/logout"),
        ):  # fmt: skip
            with self.subTest(f"{method} {path}"):
                body = {"name": "a", "size": 1} if method == "POST" else None
                self.assertIn(ask(method, path, body)[0], (401, 422))
        self.refused(None)
        self.refused("nonsense")

    def test_a_token_that_was_logged_out_is_refused(self):
        name = self.new_user()
        token, other = self.log_in(name), self.log_in(name)
        self.assertEqual(ask("GET", "/service/files", token=token)[0], 200)
        self.assertEqual(ask("POST", "/logout", token=token)[0], 204)
        self.refused(token)
        self.assertEqual(ask("GET", "/service/files", token=other)[0], 200)

    def test_an_expired_token_is_refused(self):
        claims, key, now = claims_of(self.somebody()), self.key(), int(time.time())
        good = signed({**claims, "jti": "another"}, key)
        self.assertEqual(ask("GET", "/service/files", token=good)[0], 200)
        self.refused(signed({**claims, "iat": now - 601, "exp": now - 1}, key))

    def test_a_token_that_somebody_else_made_is_refused(self):
        token, key = self.somebody(), self.key()
        claims = claims_of(token)
        self.refused(signed(claims, "another key, of enough length to be taken for one"))
        self.refused(signed(claims, key, "none"))
        self.refused(token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB"))
        self.refused(signed({**claims, "iss": "another application"}, key))
        for name in claims:
            with self.subTest(f"without {name}"):
                self.refused(signed({k: v for k, v in claims.items() if k != name}, key))


class Uploads(Application):
    def test_a_file_is_sent_recorded_listed_read_and_removed(self):
        token, data = self.somebody(), os.urandom(70_000)
        file_id = self.send(token, "Größe – 1.txt", data)
        [listed] = ask("GET", "/service/files", token=token)[1]["files"]
        self.assertEqual(
            (listed["id"], listed["name"], listed["size"], listed["type"]),
            (file_id, "Größe – 1.txt", len(data), "text/plain"),
        )
        found = ask("GET", f"/service/files/{file_id}", token=token)[1]
        status, body, headers = get(found["url"])
        self.assertEqual((status, body), (200, data))
        name = urllib.request.quote("Größe – 1.txt", safe="")
        shown = f"attachment; filename*=UTF-8''{name}"
        self.assertEqual(headers["Content-Disposition"], shown)
        self.assertEqual(ask("DELETE", f"/service/files/{file_id}", token=token)[0], 204)
        # S3 does not tell those who may not list a bucket that something is not in it.
        self.assertEqual(get(found["url"])[0], 403)
        self.assertEqual(ask("GET", "/service/files", token=token)[1]["files"], [])

    def test_a_signed_address_is_good_for_what_it_says_only(self):
        token = self.somebody()
        wanted = {"name": "a.txt", "size": 5, "type": "text/plain"}
        told = ask("POST", "/service/upload", wanted, token)[1]
        kind = told["headers"]
        self.assertEqual(put(told["url"], b"longer", kind)[0], 403)
        self.assertEqual(put(told["url"], b"12345", {"Content-Type": "text/html"})[0], 403)
        self.assertEqual(put(told["url"].replace(told["id"], "0" * 28), b"12345", kind)[0], 403)
        self.assertEqual(get(told["url"])[0], 403)
        self.assertEqual(get(told["url"].partition("?")[0])[0], 403)
        self.assertEqual(put(told["url"], b"12345", kind)[0], 200)

    def test_what_is_no_file_is_refused(self):
        token = self.somebody()
        for wanted in (
            {"name": "", "size": 1}, {"name": "../a", "size": 1}, {"name": "a\nb", "size": 1},
            {"name": "a", "size": -1}, {"name": "a", "size": 10**15}, {"name": "a"},
            {"name": "a", "size": 1, "type": "text"}, {"name": "a", "size": 1, "key": "b"},
        ):  # fmt: skip
            with self.subTest(wanted):
                self.assertEqual(ask("POST", "/service/upload", wanted, token)[0], 422)
        large = {"name": "a", "size": 6 * 1024 * MIB}
        self.assertEqual(ask("POST", "/service/upload", large, token)[0], 413)

    def test_lists_come_in_pages_the_newest_first(self):
        token = self.somebody()
        sent = [self.send(token, f"{number}.txt", b"x") for number in range(5)]
        found, after = [], ""
        while after is not None:
            path = f"/service/files?count=2{after and f'&after={after}'}"
            page = ask("GET", path, token=token)[1]
            self.assertLessEqual(len(page["files"]), 2)
            found += [file["id"] for file in page["files"]]
            after = page["next"]
        self.assertEqual(found, sent[::-1])

    def test_files_of_others_are_refused(self):
        mine, other = self.somebody(), self.somebody()
        file_id = self.send(mine, "mine.txt", b"mine")
        wanted = {"name": "large", "size": 9 * MIB}
        upload = ask("POST", "/service/multipart", wanted, mine)[1]["id"]
        refused = (404, {"detail": "you have no such file"})
        parts = {"parts": [{"number": 1, "etag": "x"}]}
        for method, path, body in (
            ("GET", f"/service/files/{file_id}", None),
            ("DELETE", f"/service/files/{file_id}", None),
            ("GET", f"/service/multipart/{upload}", None),
            ("POST", f"/service/multipart/{upload}/urls", {"parts": [1]}),
            ("POST", f"/service/multipart/{upload}/complete", parts),
            ("DELETE", f"/service/multipart/{upload}", None),
        ):
            with self.subTest(f"{method} {path}"):
                self.assertEqual(ask(method, path, body, other), refused)
        self.assertEqual(ask("GET", "/service/files", token=other)[1]["files"], [])
        self.assertEqual(ask("GET", f"/service/files/{file_id}", token=mine)[0], 200)

    def test_the_bucket_blocks_public_access(self):
        found = boto3.client("s3").get_public_access_block(Bucket=os.environ["MEDIA_BUCKET"])
        self.assertEqual(set(found["PublicAccessBlockConfiguration"].values()), {True})


class Parts(Application):
    def begin(self, token, size):
        wanted = {"name": "large.bin", "size": size}
        status, told = ask("POST", "/service/multipart", wanted, token)
        self.assertEqual(status, 201, told)
        return told

    def urls(self, token, upload, numbers):
        path = f"/service/multipart/{upload['id']}/urls"
        return ask("POST", path, {"parts": numbers}, token)[1]["urls"]

    def test_a_file_comes_in_parts_and_goes_on_after_a_failure(self):
        token, data = self.somebody(), os.urandom(8 * MIB) + b"the rest"
        upload = self.begin(token, len(data))
        self.assertEqual((upload["part_size"], upload["part_count"]), (8 * MIB, 2))
        first, second = data[: 8 * MIB], data[8 * MIB :]
        urls = self.urls(token, upload, [1, 2])
        self.assertEqual(put(urls["2"], b"more than the rest")[0], 403)
        self.assertEqual(put(urls["2"], second)[0], 200)
        # Whoever was cut off here asks what is there already.
        resumed = ask("GET", f"/service/multipart/{upload['id']}", token=token)[1]
        [known] = resumed["parts"]
        self.assertEqual((known["number"], known["size"]), (2, len(second)))
        complete = f"/service/multipart/{upload['id']}/complete"
        parts = [{"number": 2, "etag": known["etag"]}]
        self.assertEqual(ask("POST", complete, {"parts": parts}, token)[0], 409)
        wrong = [{"number": 1, "etag": '"0"'}, *parts]
        self.assertEqual(ask("POST", complete, {"parts": wrong}, token)[0], 409)
        parts.append({"number": 1, "etag": put(urls["1"], first)[1]})
        self.assertEqual(ask("POST", complete, {"parts": parts}, token)[0], 200)
        # The answer may have been lost: asking again does no harm.
        self.assertEqual(ask("POST", complete, {"parts": parts}, token)[0], 200)
        found = self.recorded(token, upload["id"])
        self.assertEqual(get(found["url"])[1], data)
        self.assertEqual(ask("POST", complete, {"parts": parts}, token)[0], 200)

    def test_an_upload_that_is_given_up_is_gone(self):
        token = self.somebody()
        upload = self.begin(token, 9 * MIB)
        url = self.urls(token, upload, [2])["2"]
        self.assertEqual(ask("DELETE", f"/service/multipart/{upload['id']}", token=token)[0], 204)
        self.assertEqual(put(url, bytes(MIB))[0], 404)
        self.assertEqual(ask("GET", f"/service/multipart/{upload['id']}", token=token)[0], 404)

    def test_parts_that_a_file_does_not_have_are_refused(self):
        token = self.somebody()
        upload = self.begin(token, 9 * MIB)
        path = f"/service/multipart/{upload['id']}/urls"
        for numbers in ([3], [0], [], list(range(1, 102))):
            with self.subTest(numbers):
                self.assertEqual(ask("POST", path, {"parts": numbers}, token)[0], 422)

    def test_large_files_have_no_more_parts_than_s3_takes(self):
        token = self.somebody()
        upload = self.begin(token, 100 * 1024 * MIB)
        self.assertLessEqual(upload["part_count"], 10_000)
        self.assertEqual(ask("DELETE", f"/service/multipart/{upload['id']}", token=token)[0], 204)


class Description(Application):
    def test_the_api_describes_itself(self):
        status, told = ask("GET", "/openapi.json")
        self.assertEqual(status, 200)
        self.assertIn("/service/upload", told["paths"])
        status, page = ask("GET", "/docs")
        self.assertEqual((status, b"docs/swagger-ui-bundle.js" in page), (200, True))
        self.assertNotIn(b"https://", page, "it must work where nothing else can be reached")
        for name in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"):
            self.assertEqual(ask("GET", f"/docs/{name}")[0], 200)


if __name__ == "__main__":
    unittest.main()
