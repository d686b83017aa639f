"""One attempt to answer one request: from the model's stream to the user's connections.

The attempt holds a lease on the request's record. Every piece has a number within the attempt; it
is told at once, and kept with others soon after. When the attempt dies, the message comes back, and
the next attempt begins anew under a higher number: clients drop what they had of the former.
"""

import os
import queue
import threading
import time

import boto3
import records
from botocore.config import Config
from listeners import Listeners

PIECE_CHARACTERS_MAX = 4_000
KEEP_CHARACTERS_MAX = 12_000
KEEP_SECONDS = 0.5
SPARE_SECONDS = 2.0
"""What is left of the function's time when an answer that takes too long is given up."""

FIRST_WAIT_SECONDS = 0.1
"""How long the first piece has before anything else is done."""

BACK_OFF_SECONDS = 2
SYSTEM = "You are a helpful assistant. Answer in a few plain sentences."

model = boto3.client(
    "bedrock-runtime",
    config=Config(
        max_pool_connections=32,
        connect_timeout=3,
        read_timeout=60,
        retries={"mode": "standard", "total_max_attempts": 2},
    ),
)
messages_queue = boto3.client("sqs", config=Config(max_pool_connections=32))


class Superseded(Exception):
    """Another attempt has taken the request."""


class Answering:
    """The attempt, with what of it is told and what is kept."""

    def __init__(self, message, user, request, messages, context):
        self._message = message
        self._user = user
        self._request = request
        self._messages = messages
        self._context = context
        self._lease = int(os.environ["LEASE_SECONDS"])
        self._listeners = Listeners(user)
        self._stream = Stream()
        self._attempt = 0
        self._told = 0
        self._pending = []
        self._kept_at = time.monotonic()
        self._renewed_at = None

    def run(self):
        """Answer, unless it is answered; whether the message may leave the queue."""
        attempt, record = records.claim(self._user, self._request, self._lease)
        if attempt is None:
            if record is None or record["state"] == records.DONE:
                return True
            # Another attempt is at work, or was until its machine died: look again after it.
            self._come_back(max(1, int(record["lease"] - time.time()) + 1))
            return False
        self._attempt = attempt
        try:
            self._answer()
        except Superseded:
            return False
        except Exception as cause:
            self._failed(cause)
            return False
        finally:
            self._stream.stop()
        return True

    def _answer(self):
        self._stream.start(self._messages)
        # While the model thinks: who listens.
        self._listeners.refresh()
        while True:
            texts = self._stream.take(self._patience())
            if texts:
                self._tell(texts)
            if self._stream.ended:
                break
            self._keep_alive()
        self._keep()
        reason = self._stream.reason
        if not records.finish(self._user, self._request, self._attempt, self._told, reason):
            raise Superseded
        self._listeners.tell(
            "end", id=self._request, attempt=self._attempt, total=self._told, reason=reason
        )

    def _tell(self, texts):
        self._listeners.tell(
            "pieces", id=self._request, attempt=self._attempt, first=self._told, texts=texts
        )
        self._told += len(texts)
        self._pending += texts
        late = time.monotonic() - self._kept_at > KEEP_SECONDS
        many = len(self._pending) > records.PIECES_OF_ITEM_MAX // 2
        if late or many or sum(map(len, self._pending)) > KEEP_CHARACTERS_MAX:
            self._keep()
            self._listeners.refresh()

    def _keep(self):
        self._kept_at = time.monotonic()
        while self._pending:
            part = cut(self._pending)
            first = self._told - len(self._pending)
            records.keep(self._user, self._request, self._attempt, first, part)
            del self._pending[: len(part)]

    def _patience(self):
        left = self._context.get_remaining_time_in_millis() / 1000 - SPARE_SECONDS
        if left <= 0:
            raise TimeoutError("the answer took too long")
        return min(left, FIRST_WAIT_SECONDS if self._renewed_at is None else self._lease / 3)

    def _keep_alive(self):
        """Hold the lease, and let the message come back soon should this process die."""
        if self._renewed_at is None:
            self._renewed_at = time.monotonic()
            self._come_back(self._lease)
            return
        if time.monotonic() - self._renewed_at < self._lease / 3:
            return
        self._renewed_at = time.monotonic()
        if not records.renew(self._user, self._request, self._attempt, self._lease):
            raise Superseded
        self._come_back(self._lease)
        self._keep()
        self._listeners.refresh()

    def _failed(self, cause):
        print(f"attempt {self._attempt} at {self._request} failed: {cause!r}")
        tries = int(self._message["attributes"]["ApproximateReceiveCount"])
        if tries < int(os.environ["ATTEMPTS"]):
            if records.release(self._user, self._request, self._attempt):
                self._listeners.tell("again", id=self._request)
                self._come_back(BACK_OFF_SECONDS**tries)
            return
        message = "it could not be answered"
        if records.fail(self._user, self._request, self._attempt, message):
            self._listeners.tell("failed", id=self._request, message=message)
            # The next who looks at the message puts it among the dead letters.
            self._come_back(0)

    def _come_back(self, seconds):
        """The message is seen again after so long, unless it is deleted before."""
        messages_queue.change_message_visibility(
            QueueUrl=os.environ["QUEUE_URL"],
            ReceiptHandle=self._message["receiptHandle"],
            VisibilityTimeout=seconds,
        )


def cut(texts):
    """The first of the texts that one item of the table takes."""
    size, count = 0, 0
    for text in texts[: records.PIECES_OF_ITEM_MAX]:
        size += len(text)
        if count and size > KEEP_CHARACTERS_MAX:
            break
        count += 1
    return texts[:count]


class Stream:
    """The model's answer, read by a thread of its own: what comes while one piece is being told is
    told with the next.
    """

    def __init__(self):
        self._pieces = queue.SimpleQueue()
        self._stopped = threading.Event()
        self.ended = False
        self.reason = ""

    def start(self, messages):
        threading.Thread(target=self._read, args=(messages,), daemon=True).start()

    def stop(self):
        self._stopped.set()

    def take(self, seconds):
        """The pieces that are there, after waiting for the first; raises what ended the stream."""
        texts, size = [], 0
        try:
            found = self._pieces.get(timeout=seconds)
            while True:
                if not isinstance(found, str):
                    self._end(found)
                    break
                texts.append(found)
                size += len(found)
                if len(texts) == records.PIECES_OF_ITEM_MAX or size > KEEP_CHARACTERS_MAX:
                    break
                found = self._pieces.get_nowait()
        except queue.Empty:
            pass
        return texts

    def _end(self, outcome):
        if isinstance(outcome, Exception):
            raise outcome
        self.ended = True

    def _read(self, messages):
        try:
            self._converse(messages)
        except Exception as cause:
            self._pieces.put(cause)
        else:
            # Any value that is no text says that the stream is over.
            self._pieces.put(None)

    def _converse(self, messages):
        answer = model.converse_stream(
            modelId=os.environ["MODEL_ID"],
            system=[{"text": os.environ.get("SYSTEM_PROMPT", SYSTEM)}],
            messages=[
                {"role": each["role"], "content": [{"text": each["text"]}]} for each in messages
            ],
            inferenceConfig={"maxTokens": int(os.environ["MAX_TOKENS"])},
        )
        stream = answer["stream"]
        try:
            for event in stream:
                if self._stopped.is_set():
                    return
                if "contentBlockDelta" in event:
                    text = event["contentBlockDelta"]["delta"].get("text", "")
                    for start in range(0, len(text), PIECE_CHARACTERS_MAX):
                        self._pieces.put(text[start : start + PIECE_CHARACTERS_MAX])
                elif "messageStop" in event:
                    self.reason = event["messageStop"]["stopReason"]
        finally:
            stream.close()
        if not self.reason:
            raise ConnectionError("the model's answer broke off")
