"""Many uploads at the same time, each as slow as a client's own line; in a process of its own.

Reads a JSON list of addresses from stdin; says `all` once every upload is under way, and at the end
how many were answered, by status.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections import Counter
from urllib.parse import urlsplit

import uvloop

from bench.load import after, pin

PIECE_BYTES = 16 * 1024
PIECE_SECONDS = 4.0
CONTENT_TYPE = "application/octet-stream"
BEGINNING_SECONDS = 5.0
"""Over how long the uploads begin."""


class Crowd:
    """All uploads, and how each of them ended."""

    def __init__(self, urls: list[str], pieces: int) -> None:
        self.urls = urls
        self.pieces = pieces
        self.under_way = 0
        self.answers: Counter[str] = Counter()

    async def run(self) -> None:
        await asyncio.gather(*(self.send(place, url) for place, url in enumerate(self.urls)))
        print(json.dumps(self.answers), flush=True)

    async def send(self, place: int, url: str) -> None:
        await after(BEGINNING_SECONDS * place / len(self.urls))
        try:
            answer = await self.put(url)
        except (OSError, asyncio.IncompleteReadError) as problem:
            answer = type(problem).__name__
        self.answers[answer] += 1

    async def put(self, url: str) -> str:
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        lines = (
            f"PUT {parts.path}?{parts.query} HTTP/1.1",
            f"Host: {parts.netloc}",
            f"Content-Type: {CONTENT_TYPE}",
            f"Content-Length: {self.pieces * PIECE_BYTES}",
        )
        writer.write("\r\n".join((*lines, "", "")).encode())
        for piece in range(self.pieces):
            writer.write(b"x" * PIECE_BYTES)
            await writer.drain()
            if piece == 0:
                self.started()
            await after(PIECE_SECONDS)
        status = await reader.readline()
        writer.close()
        return status.split()[1].decode()

    def started(self) -> None:
        self.under_way += 1
        if self.under_way == len(self.urls):
            print("all", flush=True)


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    pin(1)
    uvloop.run(Crowd(json.load(sys.stdin), int(sys.argv[1])).run())
