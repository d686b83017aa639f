"""Drives the deployed application from outside, as its clients do.

Needs in the environment: URL, API_KEY_ID, TABLE, PAGE_URL (the stack's outputs), REFERENCE (the
name of a reference recording on the engine's machine), and the key of an identity that may read the
API key and write to the table.
"""

import io
import json
import math
import os
import struct
import time
import unittest
import urllib.error
import urllib.request
import uuid
import wave

import boto3


def recording(seconds=1.0, rate=16000, channels=1, width=2):
    """A WAV file with a tone that swells and fades."""
    sink = io.BytesIO()
    with wave.open(sink, "wb") as target:
        target.setnchannels(channels)
        target.setsampwidth(width)
        target.setframerate(rate)
        frames = bytearray()
        for number in range(int(seconds * rate)):
            swell = math.sin(math.pi * number / (seconds * rate))
            value = int(12000 * swell * math.sin(2 * math.pi * 440 * number / rate))
            frames += struct.pack("<h", value)[:width] * channels
        target.writeframes(bytes(frames))
    return sink.getvalue()


class VoiceQuality(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.url = os.environ["URL"]
        key = boto3.client("apigateway").get_api_key(
            apiKey=os.environ["API_KEY_ID"], includeValue=True
        )
        cls.key = key["value"]
        cls.wav = recording()

    def request(self, method, path="", body=None, key=None, kind="audio/wave"):
        headers = {"x-api-key": self.key if key is None else key}
        if body is not None:
            headers["Content-Type"] = kind
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=40) as answer:
                return answer.status, json.loads(answer.read()), answer.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read()), error.headers

    def submit(self, body=None, reference=None, **more):
        name = reference or os.environ["REFERENCE"]
        return self.request("POST", f"?reference={name}", body or self.wav, **more)

    def follow(self, job):
        """Ask as often as the service allows, until the job has ended."""
        until = time.monotonic() + 120
        while time.monotonic() < until:
            status, body, headers = self.request("GET", f"/{job}")
            if status == 202:
                wait = float(headers["Retry-After"])
            elif status == 429:
                wait = 1
            else:
                return status, body
            time.sleep(wait)
        raise AssertionError("the job did not end")

    def test_a_recording_is_scored(self):
        status, body, _ = self.submit()
        self.assertEqual((status, body["state"]), (202, "running"))
        status, result = self.follow(body["id"])
        self.assertEqual((status, result["state"], result["id"]), (200, "done", body["id"]))
        self.assertGreaterEqual(result["mos_lqo"], 1)
        self.assertLessEqual(result["mos_lqo"], 5)
        # The result is told once; then the job is gone.
        self.assertEqual(self.request("GET", f"/{body['id']}")[0], 404)

    def test_jobs_at_the_same_time_all_end(self):
        jobs = [self.submit()[1]["id"] for _ in range(4)]
        self.assertEqual(len(set(jobs)), 4)
        self.assertEqual([self.follow(job)[0] for job in jobs], [200] * 4)

    def test_asking_in_a_loop_is_stopped(self):
        job = self.submit()[1]["id"]
        self.request("GET", f"/{job}")
        statuses = {self.request("GET", f"/{job}")[0] for _ in range(3)}
        # The job may have ended at the first look; then it is gone.
        self.assertTrue(statuses <= {429} or statuses <= {404}, statuses)
        self.follow(job)

    def test_without_a_key_nothing_is_taken(self):
        for key in ("", "k" * 40):
            status, body, _ = self.submit(key=key)
            self.assertEqual((status, body), (403, {"message": "Forbidden"}))

    def test_only_wave_files_are_taken(self):
        status, body, _ = self.submit(b"{}", kind="application/json")
        self.assertEqual((status, body), (415, {"message": "Unsupported Media Type"}))
        for audio, said in (
            (b"no audio at all", "the body is not a WAV file"),
            (self.wav[:30], "the body is not a WAV file"),
            (recording(rate=11025), "the sample rate must be one of 8000, 16000, 48000, not 11025"),
            (recording(channels=2), "the recording must have one channel of 16 bits"),
            (recording(0.1), "the recording must last 0.5 to 120 seconds"),
        ):
            status, body, _ = self.submit(audio)
            self.assertEqual((status, body["message"]), (400, said))

    def test_an_empty_body_is_refused(self):
        status, body, _ = self.request("POST", f"?reference={os.environ['REFERENCE']}", b"")
        self.assertEqual((status, body["message"]), (400, "the body is empty"))

    def test_parameters_are_checked(self):
        status, body, _ = self.request("POST", "", self.wav)
        self.assertEqual(status, 400)
        self.assertEqual(body["message"], "Missing required request parameters: [reference]")
        status, body, _ = self.submit(reference="..%2F..%2Fetc")
        self.assertEqual(status, 400)
        status, body, _ = self.request("POST", "?reference=x&mode=song", self.wav)
        self.assertEqual((status, body["message"]), (400, "mode must be speech or audio"))

    def test_a_recording_that_is_too_long_is_refused(self):
        status, body, _ = self.submit(self.wav + bytes(4_600_000))
        self.assertEqual((status, body["message"]), (413, "the audio is longer than 4500000 bytes"))
        # The gateway itself takes 10 MB; it need not read on.
        for size in (11_000_000, 40_000_000):
            try:
                self.assertEqual(self.submit(bytes(size))[0], 413)
            except urllib.error.URLError as cut:
                self.assertIsInstance(cut.reason, (BrokenPipeError, ConnectionResetError))

    def test_a_reference_that_the_engine_lacks_is_told(self):
        job = self.submit(reference="nobody")[1]["id"]
        status, body = self.follow(job)
        self.assertEqual(status, 500)
        self.assertIn("there is no reference nobody", body["message"])

    def job(self, **seconds):
        """A job's record as if it had been made earlier; times are seconds from now."""
        job, now = str(uuid.uuid4()), int(time.time())
        item = {name: {"N": str(now + number)} for name, number in seconds.items()}
        boto3.client("dynamodb").put_item(
            TableName=os.environ["TABLE"], Item={"id": {"S": job}, **item}
        )
        return job

    def test_an_expired_id_is_unknown_before_its_record_is_gone(self):
        job = self.job(started=-3700, deadline=-2800, expires=-100)
        status, body, _ = self.request("GET", f"/{job}")
        self.assertEqual((status, body["message"]), (404, "there is no such job"))

    def test_a_job_that_outlived_its_time_is_told_once(self):
        job = self.job(started=-1000, deadline=-100, expires=2600)
        status, body, _ = self.request("GET", f"/{job}")
        self.assertEqual((status, body["message"]), (408, "the job has outlived its time"))
        self.assertEqual(self.request("GET", f"/{job}")[0], 404)

    def test_the_page_is_open_and_nothing_else_is_told_by_it(self):
        page = os.environ["PAGE_URL"]
        with urllib.request.urlopen(page, timeout=40) as answer:
            self.assertEqual(answer.headers["Content-Type"], "text/html; charset=utf-8")
            self.assertIn("script-src 'self'", answer.headers["Content-Security-Policy"])
            self.assertIn(b"<h1>Voice quality</h1>", answer.read())
        for name in ("page.py", "..%2Fsubmit.py", "nothing"):
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(f"{page}page/{name}", timeout=40)
            with caught.exception:
                self.assertIn(caught.exception.code, (403, 404))

    def test_a_foreign_id_is_unknown(self):
        status, body, _ = self.request("GET", f"/{uuid.uuid4()}")
        self.assertEqual((status, body["message"]), (404, "there is no such job"))


if __name__ == "__main__":
    unittest.main()
