"""Drives the deployed application from outside, as its page and its users do.

Needs in the environment: API, PAGE and TABLE (the stack's outputs), the key of an identity that may
describe the table, and AWS_ENDPOINT_URL where it is not AWS. Where the page's name cannot be
resolved, SITE is the address of the server that has it.
"""

import json
import os
import time
import unittest
import urllib.error
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode, urlsplit

import boto3

PATIENCE_SECONDS = 120


def later(**span):
    return (datetime.now(UTC) + timedelta(**span)).isoformat()


class Application(unittest.TestCase):
    def setUp(self):
        # A notebook of the test's own, with a name that must be escaped in addresses.
        self.notebook = f"Küche & Garten {uuid.uuid4().hex[:12]}"
        self.assertEqual(self.ask("POST", "/notebooks", {"name": self.notebook})[0], 201)
        self.notes = f"/notebooks/{quote(self.notebook)}/notes"

    def ask(self, method, path, body=None, version=None, **headers):
        """The status, the body read as JSON, and the headers of the answer."""
        data = None if body is None else json.dumps(body).encode()
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        request = urllib.request.Request(
            os.environ["API"].rstrip("/") + path, data=data, method=method, headers=headers
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or "null"), answer.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or "null"), error.headers

    def make(self, title, **more):
        status, note, _ = self.ask("POST", self.notes, {"title": title, **more})
        self.assertEqual(status, 201, note)
        return note

    def at(self, note):
        return f"{self.notes}/{note['id']}"

    def titles(self, path, **query):
        """The titles of a list, page by page; and how many pages it took."""
        found, pages = [], 0
        while True:
            status, body, _ = self.ask("GET", f"{path}?{urlencode(query)}")
            self.assertEqual(status, 200, body)
            found += [note["title"] for note in body["notes"]]
            pages += 1
            if body["next"] is None:
                return found, pages
            query["after"] = body["next"]

    def assert_refused(self, answer, status, words):
        self.assertEqual(answer[0], status, answer[1])
        self.assertIn(words, answer[1]["message"])


class Notebooks(Application):
    def names(self):
        found, after = [], ""
        while after is not None:
            _, body, _ = self.ask("GET", f"/notebooks?limit=100&after={after}")
            found += [one["name"] for one in body["notebooks"]]
            after = body["next"]
        return found

    def test_a_notebook_is_listed_until_it_is_deleted(self):
        self.assertIn(self.notebook, self.names())
        path = f"/notebooks/{quote(self.notebook)}"
        self.assertEqual(self.ask("DELETE", path)[0], 204)
        self.assertNotIn(self.notebook, self.names())
        self.assert_refused(self.ask("DELETE", path), 404, "There is no notebook")
        self.assert_refused(self.ask("GET", self.notes), 404, "There is no notebook")
        answer = self.ask("POST", self.notes, {"title": "lost"})
        self.assert_refused(answer, 404, "There is no notebook")

    def test_a_name_is_taken_once(self):
        answer = self.ask("POST", "/notebooks", {"name": f"  {self.notebook} "})
        self.assert_refused(answer, 409, "already")

    def test_a_notebook_with_notes_is_not_deleted(self):
        self.make("here")
        answer = self.ask("DELETE", f"/notebooks/{quote(self.notebook)}")
        self.assert_refused(answer, 409, "has notes in it")

    def test_bad_names_are_refused(self):
        for name in (None, 7, "", " ", "/", "a/b", "a%2Fb", "x" * 41, "-a", "a\u0000b", ["a"]):
            with self.subTest(name=name):
                answer = self.ask("POST", "/notebooks", {"name": name})
                self.assert_refused(answer, 400, "A notebook's name")


class Notes(Application):
    def test_a_note_is_made_read_changed_and_deleted(self):
        note = self.make("Tomatoes", text="Water them.", tag="Garden", expires=later(days=2))
        status, read, headers = self.ask("GET", self.at(note))
        self.assertEqual((status, read, headers["ETag"]), (200, note, '"1"'))
        self.assertEqual((read["tag"], read["version"]), ("garden", 1))
        status, changed, _ = self.ask("PUT", self.at(note), {"title": "Tomatoes!"}, version=1)
        self.assertEqual((status, changed["title"], changed["version"]), (200, "Tomatoes!", 2))
        # It is replaced as a whole: what is not said is gone.
        self.assertEqual((changed["text"], changed["tag"], changed["expires"]), ("", None, None))
        self.assertEqual(changed["created"], note["created"])
        self.assertEqual(self.ask("DELETE", self.at(note), version=2)[0], 204)
        self.assert_refused(self.ask("GET", self.at(note)), 404, "no such note")
        self.assert_refused(self.ask("DELETE", self.at(note), version=2), 404, "no such note")

    def test_no_change_is_lost(self):
        note = self.make("mine")
        self.ask("PUT", self.at(note), {"title": "theirs"}, version=1)
        answer = self.ask("PUT", self.at(note), {"title": "mine again"}, version=1)
        self.assert_refused(answer, 412, "changed meanwhile")
        self.assertEqual(answer[1]["current"]["title"], "theirs")
        answer = self.ask("DELETE", self.at(note), version=1)
        self.assert_refused(answer, 412, "changed meanwhile")
        self.assertEqual(self.ask("GET", self.at(note))[1]["title"], "theirs")

    def test_who_has_seen_no_version_changes_nothing(self):
        note = self.make("unseen")
        self.assert_refused(self.ask("PUT", self.at(note), {"title": "x"}), 428, "If-Match")
        self.assert_refused(self.ask("DELETE", self.at(note)), 428, "If-Match")
        for wrong in ("*", "x", "-1", '"1", "2"', "9" * 16):
            answer = self.ask("DELETE", self.at(note), **{"If-Match": wrong})
            self.assert_refused(answer, 400, "If-Match")

    def test_of_many_changes_at_once_one_is_made(self):
        note = self.make("contested")

        def change(name):
            return self.ask("PUT", self.at(note), {"title": f"by {name}"}, version=1)[0]

        with ThreadPoolExecutor(8) as crowd:
            answers = sorted(crowd.map(change, range(8)))
        self.assertEqual(answers, [200] + [412] * 7)

    def test_many_notes_are_made_at_once(self):
        with ThreadPoolExecutor(6) as crowd:
            list(crowd.map(lambda n: self.make(f"note {n}"), range(12)))
        self.assertEqual(len(self.titles(self.notes)[0]), 12)

    def test_bad_notes_are_refused(self):
        wrong = [
            ({}, "title must have"),
            ({"title": " "}, "title must have"),
            ({"title": "x" * 121}, "title must have"),
            ({"title": 1}, "title must have"),
            ({"title": "x", "text": "x" * 20_001}, "text must have"),
            ({"title": "x", "text": None}, "text must have"),
            ({"title": "x", "tag": "two words"}, "tag must have"),
            ({"title": "x", "tag": ["a"]}, "tag must have"),
            ({"title": "x", "expires": "tomorrow"}, "expires must be a time"),
            ({"title": "x", "expires": 5}, "expires must be a time"),
            ({"title": "x", "expires": "2031-01-01T00:00:00"}, "with its zone"),
            ({"title": "x", "expires": later(seconds=-5)}, "in the future"),
            ({"title": "x", "expires": "9000-01-01T00:00:00Z"}, "ten years"),
            ({"title": "x", "owner": "me"}, "A note has no owner"),
            ({"title": "\ud800"}, "must be JSON"),
            ([], "must be a JSON object"),
        ]
        for body, words in wrong:
            with self.subTest(body=str(body)[:60]):
                self.assert_refused(self.ask("POST", self.notes, body), 400, words)

    def test_an_id_that_is_none_is_nobodys(self):
        for name in ("nothing", "x" * 1500, "%20", "a.b"):
            answer = self.ask("GET", f"{self.notes}/{name}")
            self.assert_refused(answer, 404, "no such note")


class Lists(Application):
    def test_a_notebook_is_listed_in_the_order_of_changes(self):
        first, _, _ = [self.make(title) for title in ("first", "second", "third")]
        self.assertEqual(self.titles(self.notes)[0], ["third", "second", "first"])
        self.ask("PUT", self.at(first), {"title": "first, again"}, version=1)
        self.assertEqual(self.titles(self.notes)[0], ["first, again", "third", "second"])
        oldest = self.titles(self.notes, order="oldest")[0]
        self.assertEqual(oldest, ["second", "third", "first, again"])

    def test_pages_hold_all_of_it_once(self):
        made = [f"note {n:02}" for n in range(11)]
        for title in made:
            self.make(title, text="some words " * 50)
        found, pages = self.titles(self.notes, limit=4)
        self.assertEqual(found, made[::-1])
        self.assertGreaterEqual(pages, 3)

    def test_notes_of_all_notebooks_are_found_by_their_tag(self):
        tag = uuid.uuid4().hex[:30]
        self.make("one", tag=tag)
        other = Lists("setUp")
        other.setUp()
        two = other.make("two", tag=tag.upper())
        self.make("without")
        self.eventually(lambda: self.titles("/notes", tag=tag, limit=1)[0], ["two", "one"])
        other.ask("PUT", other.at(two), {"title": "two", "tag": None}, version=1)
        self.eventually(lambda: self.titles("/notes", tag=tag)[0], ["one"])

    def test_notes_are_found_by_the_beginning_of_their_title(self):
        mark = uuid.uuid4().hex
        for title in (f"{mark} Beta", f"{mark} alpha", f"not {mark}"):
            self.make(title)
        wanted = [f"{mark} alpha", f"{mark} Beta"]
        self.eventually(lambda: self.titles("/notes", title=mark.upper(), limit=1)[0], wanted)

    def eventually(self, ask, wanted):
        """Global indexes follow the table a moment later."""
        until = time.monotonic() + PATIENCE_SECONDS
        while (found := ask()) != wanted and time.monotonic() < until:
            time.sleep(0.2)
        self.assertEqual(found, wanted)

    def test_lists_tell_no_texts(self):
        self.make("long", text="word " * 1000)
        _, body, _ = self.ask("GET", self.notes)
        [note] = body["notes"]
        self.assertNotIn("text", note)
        self.assertEqual(len(note["excerpt"]), 160)

    def test_bad_questions_are_refused(self):
        wrong = [
            ("/notes", "Ask for a tag"),
            ("/notes?tag=a&title=b", "Ask for a tag"),
            ("/notes?tag=%20", "tag must have"),
            ("/notes?title=%20", "title must have"),
            (f"/notes?title={'x' * 121}", "title must have"),
            (f"{self.notes}?limit=0", "limit must be"),
            (f"{self.notes}?limit=101", "limit must be"),
            (f"{self.notes}?limit=ten", "limit must be"),
            (f"{self.notes}?order=random", "order must be"),
            (f"{self.notes}?after=x", "after must be"),
            (f"{self.notes}?after=eyJpZCI6ICJ4In0", "after must be"),
        ]
        for path, words in wrong:
            with self.subTest(path=path[-40:]):
                self.assert_refused(self.ask("GET", path), 400, words)

    def test_the_cursor_of_another_list_is_refused(self):
        for title in "ab":
            self.make(title)
        _, body, _ = self.ask("GET", f"{self.notes}?limit=1")
        answer = self.ask("GET", f"/notes?tag=x&after={body['next']}")
        self.assert_refused(answer, 400, "after must be")


class Expiry(Application):
    def test_what_expired_is_gone_at_once_and_in_time_from_the_table(self):
        note = self.make("short", expires=later(seconds=2))
        self.make("long")
        until = time.monotonic() + PATIENCE_SECONDS
        while self.ask("GET", self.at(note))[0] == 200 and time.monotonic() < until:
            time.sleep(0.2)
        self.assert_refused(self.ask("GET", self.at(note)), 404, "no such note")
        answer = self.ask("PUT", self.at(note), {"title": "again"}, version=1)
        self.assert_refused(answer, 404, "no such note")
        self.assert_refused(self.ask("DELETE", self.at(note), version=1), 404, "no such note")
        self.assertEqual(self.titles(self.notes)[0], ["long"])

    def test_the_table_forgets_by_itself(self):
        client = boto3.client("dynamodb")
        told = client.describe_time_to_live(TableName=os.environ["TABLE"])
        self.assertEqual(
            told["TimeToLiveDescription"],
            {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"},
        )


class Browsers(Application):
    def setUp(self):
        super().setUp()
        self.origin = os.environ["PAGE"].rstrip("/")

    def test_the_page_may_ask_first(self):
        asked = {
            "Origin": self.origin,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "content-type,if-match",
        }
        status, _, headers = self.ask("OPTIONS", f"{self.notes}/x", **asked)
        self.assertEqual(status, 200)
        self.assertEqual(headers["Access-Control-Allow-Origin"], self.origin)
        self.assertIn("PUT", headers["Access-Control-Allow-Methods"])
        self.assertIn("If-Match", headers["Access-Control-Allow-Headers"])

    def test_answers_and_refusals_may_be_read_by_the_page_alone(self):
        for path in ("/notebooks", "/notes", "/of/tomorrow"):
            headers = self.ask("GET", path)[2]
            self.assertEqual(headers["Access-Control-Allow-Origin"], self.origin)

    def page(self, method="GET", data=None):
        site = os.environ.get("SITE", self.origin).rstrip("/")
        headers = {"Host": urlsplit(self.origin).netloc}
        request = urllib.request.Request(f"{site}/index.html", data, headers, method=method)
        return urllib.request.urlopen(request, timeout=60)

    def test_the_page_is_there_and_is_written_by_nobody_else(self):
        with self.page() as answer:
            self.assertEqual(answer.headers.get_content_type(), "text/html")
            self.assertIn(b"<title>Notebooks</title>", answer.read())
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.page("PUT", b"x")
        self.assertIn(refused.exception.code, (403, 405))
        refused.exception.close()


if __name__ == "__main__":
    unittest.main()
