"""From "send" to the first token on the WebSocket, in the streaming chat: the cloud's own share.

The model is a scripted server that begins to speak at once and notes when it was asked and when it
began; what it took is shown apart. The application and its functions count as the cloud's.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.journeys.chat.deployed import CDK, PAGE, Chat, deployed

from bench.clouds import family
from bench.report import missed, show

ROUNDS = 60
WARM_ROUNDS = 5
CLOUD_MS_MAX = 20.0
QUOTA = "100000"


def first_token(chat: Chat, user: Any, socket: Any, number: int) -> dict[str, float]:
    """Milliseconds of the parts of one request's way."""
    text = f"count 5 at 200: {number}."
    began = time.monotonic()
    status, body, _ = user.ask(text)
    answered = time.monotonic()
    if status != 202:
        raise RuntimeError(f"it was answered {status}: {body}")
    answer = chat.clients.Answer(body["id"])
    answer.hear(json.loads(socket.recv(timeout=30)))
    heard = time.monotonic()
    chat.clients.follow(socket, answer)
    # The client reads the 202 before it listens; a token may have come in the meantime.
    asked, spoke = chat.server.asked[text][0], chat.server.began[text]
    return {
        "send to 202": (answered - began) * 1000,
        "send to the model asked": (asked - began) * 1000,
        "the model's own share": (spoke - asked) * 1000,
        "its first token to the client": (heard - spoke) * 1000,
        "the cloud's own share": (heard - began - (spoke - asked)) * 1000,
    }


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and of all below it that still run."""
    ticks = 0
    for each in family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measured(chat: Chat) -> tuple[list[dict[str, float]], float]:
    """The parts of each request, and the milliseconds of processor time that one took."""
    user = chat.user()
    assert chat.cloud.process is not None
    with user.connect() as socket:
        for number in range(WARM_ROUNDS):
            first_token(chat, user, socket, -number - 1)
        before = cpu_seconds(chat.cloud.process.pid)
        found = [first_token(chat, user, socket, number) for number in range(ROUNDS)]
        used = cpu_seconds(chat.cloud.process.pid) - before
    return found, used / ROUNDS * 1000


def run() -> None:
    if not (CDK / "python").exists() or not PAGE.exists():
        print("  the streaming chat is left out: `make clients` installs what it is made with")
        return
    # Cloud, functions, model and client take turns here; none is to be kept on one processor.
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    with (
        tempfile.TemporaryDirectory() as folder,
        deployed(Path(folder), MonthlyQuota=QUOTA) as chat,
    ):
        found, used = measured(chat)
    os.sched_setaffinity(0, before)
    rows = []
    for name in found[0]:
        values = sorted(one[name] for one in found)
        p95 = values[int(len(values) * 0.95)]
        rows.append((name, values[0], statistics.median(values), p95, values[-1]))
    show(
        f"streaming chat, from send to the first token, {ROUNDS} requests one after the other",
        ("part", "least ms", "p50 ms", "p95 ms", "most ms"),
        rows,
        f"aim: the cloud's own share, functions included, under {CLOUD_MS_MAX:.0f} ms at p50; "
        f"processor time of cloud and functions for a request and its five pieces: {used:.1f} ms "
        f"(load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors)",
    )
    missed("the cloud's own share of the first token, ms", rows[-1][2], at_most=CLOUD_MS_MAX)
