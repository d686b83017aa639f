"""Batches sent to a cloud over a few connections, until all are in the table."""

from __future__ import annotations

import http.client
import json
import queue
import ssl
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from cumulet.cli.importing.sources import Batch
from cumulet.cli.reach import Reach

CONNECTIONS = 3
TRIES_MAX = 6
"""A cloud that starts again is waited for a minute."""

_TIMEOUT_SECONDS = 120.0


class Refused(Exception):
    """The cloud does not take a batch; `batch` is None when it refused the import as a whole."""

    def __init__(self, message: str, batch: Batch | None = None) -> None:
        super().__init__(message)
        self.batch = batch


class Sender:
    """One import, by its id."""

    def __init__(self, reach: Reach, table: str, load: str) -> None:
        self._reach = reach
        self._path = f"/_dynamodb/load/{reach.region}/{quote(table, safe='')}"
        self._load = load
        self._stop = threading.Event()
        self._failure: Exception | None = None

    def status(self) -> dict[str, Any]:
        """How far the import came: `done`, `ahead` and `rows`. Raises Refused."""
        connection = self._connect()
        try:
            return self._post(connection, None)
        finally:
            connection.close()

    def send(self, batches: Iterable[Batch], done: Callable[[Batch], None]) -> None:
        """Send batches; `done` is told of each one in the table, in threads of their own.

        Raises Refused, and whatever `batches` raises, when those on their way have arrived.
        """
        waiting: queue.Queue[Batch | None] = queue.Queue(CONNECTIONS)
        threads = [
            threading.Thread(target=self._work, args=(waiting, done), daemon=True)
            for _ in range(CONNECTIONS)
        ]
        for thread in threads:
            thread.start()
        try:
            for batch in batches:
                while not self._stop.is_set():
                    try:
                        waiting.put(batch, timeout=1.0)
                        break
                    except queue.Full:
                        continue
                if self._stop.is_set():
                    break
        finally:
            self._finish(waiting, threads)
        if self._failure is not None:
            raise self._failure

    def _finish(self, waiting: queue.Queue[Batch | None], threads: list[threading.Thread]) -> None:
        for _ in threads:
            while True:
                try:
                    waiting.put(None, timeout=1.0)
                    break
                except queue.Full:
                    if self._stop.is_set():
                        break
        for thread in threads:
            thread.join()

    def _work(self, waiting: queue.Queue[Batch | None], done: Callable[[Batch], None]) -> None:
        connection = self._connect()
        try:
            while not self._stop.is_set() and (batch := waiting.get()) is not None:
                connection = self._deliver(connection, batch)
                done(batch)
        except Exception as cause:
            self._failure = self._failure or cause
            self._stop.set()
        finally:
            connection.close()

    def _deliver(
        self, connection: http.client.HTTPConnection, batch: Batch
    ) -> http.client.HTTPConnection:
        for attempt in range(TRIES_MAX):
            try:
                self._post(connection, batch)
                return connection
            except (OSError, http.client.HTTPException) as cause:
                connection.close()
                connection = self._connect()
                last = cause
            if self._stop.wait(2.0**attempt):
                break
        raise Refused(f"{self._reach.endpoint} does not answer any more: {last}")

    def _connect(self) -> http.client.HTTPConnection:
        place = urlsplit(self._reach.endpoint)
        host, port = place.hostname or "", place.port
        if place.scheme != "https":
            return http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)
        trust = ssl.create_default_context(cafile=self._reach.authority or None)
        return http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_SECONDS, context=trust)

    def _post(self, connection: http.client.HTTPConnection, batch: Batch | None) -> dict[str, Any]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        query = {"load": self._load}
        if batch is not None:
            query["batch"] = str(batch.number)
        body = b"" if batch is None else batch.lines
        path = f"{self._path}?{urlencode(query)}"
        request = AWSRequest("POST", self._reach.endpoint + path, data=body)
        keys = Credentials(self._reach.access_key_id, self._reach.secret)
        SigV4Auth(keys, "dynamodb", self._reach.region).add_auth(request)
        connection.request("POST", path, body, dict(request.headers))
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= 500:
            raise OSError(f"status {answer.status}")
        found: dict[str, Any] = json.loads(content)
        if answer.status != 200:
            raise Refused(found.get("message", f"status {answer.status}"), batch)
        return found
