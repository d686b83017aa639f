"""Kill -9 in a storm of mixed writes: what was answered is there, and nothing is half done.

`make storm` runs fifty rounds; a usual test run makes eight.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.journeys.storm import KINDS, Writer, is_served

ROUNDS = int(os.environ.get("CUMULET_STORM_ROUNDS", "8"))
SEED = int(os.environ.get("CUMULET_STORM_SEED", "20260101"))
ANSWERS_MAX = 120
"""A kill comes after at most so many answers of a round."""
ROUND_SECONDS_MAX = 60
RESTART_SECONDS_MAX = 10
"""Generous, for machines that do other things meanwhile; the aim is two seconds."""


class Round:
    """Counts answers, and says when it is time to kill."""

    def __init__(self, answers: int) -> None:
        self._left = answers
        self._lock = threading.Lock()
        self.due = threading.Event()

    def told(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left <= 0:
                self.due.set()


class Scripted(Writer):
    """A writer of whom the test says what was answered, asked and found."""

    def __init__(self, pending: tuple[str, Any] | None, found: dict[str, Any]) -> None:
        super().__init__(0)
        self.state = {"a": 1, "b": 2}
        self.pending = pending
        self.found = found

    def observe(self) -> dict[str, Any]:
        return self.found


@pytest.mark.parametrize(
    ("pending", "found"),
    [
        (None, {"a": 1}),
        (None, {"a": 1, "b": 3}),
        (None, {"a": 1, "b": 2, "c": 3}),
        (("b", 3), {"a": 1, "b": 4}),
        (("b", 3), {"a": 1}),
        (("c", (1, 2)), {"a": 1, "b": 2, "c": (1,)}),
    ],
    ids=["lost", "changed", "made up", "half changed", "lost in a change", "half made"],
)
def test_the_storm_would_notice(pending: tuple[str, Any] | None, found: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        Scripted(pending, found).verify()


@pytest.mark.parametrize(
    ("pending", "found"),
    [
        (None, {"a": 1, "b": 2}),
        (("b", 3), {"a": 1, "b": 2}),
        (("b", 3), {"a": 1, "b": 3}),
        (("b", None), {"a": 1}),
    ],
    ids=["all", "not changed", "changed", "gone"],
)
def test_the_storm_takes_what_may_be(
    pending: tuple[str, Any] | None, found: dict[str, Any]
) -> None:
    writer = Scripted(pending, found)
    writer.verify()
    assert (writer.state, writer.pending) == (found, None)


def storm(cloud: Any, writers: list[Writer], answers: int) -> None:
    """Let all writers write at once, and kill the cloud in the middle of it."""
    this = Round(answers)
    failures: list[BaseException] = []

    def write(writer: Writer) -> None:
        try:
            writer.write_until_cut(this.told)
        except BaseException as failure:
            failures.append(failure)
            this.due.set()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in writers]
    for thread in threads:
        thread.start()
    in_time = this.due.wait(ROUND_SECONDS_MAX)
    cloud.kill()
    for thread in threads:
        thread.join(ROUND_SECONDS_MAX)
    assert not failures, failures
    assert in_time, "the cloud answered too slowly, or not at all"


def check(cloud: Any) -> None:
    words = [sys.executable, "-m", "cumulet", "check", "--data", str(cloud.data)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def connect(cloud: Any, writers: list[Writer]) -> None:
    for writer in writers:
        writer.client = cloud.client(writer.service)


def test_a_storm_with_kills_loses_nothing_that_was_answered(
    new_cloud: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(SEED)
    cloud = new_cloud()
    writers = [kind(SEED) for kind in KINDS if is_served(cloud, kind)]
    for writer in writers:
        writer.prepare(cloud)
    connect(cloud, writers)
    restarts: list[float] = []
    for _ in range(ROUNDS):
        storm(cloud, writers, chance.randrange(1, ANSWERS_MAX))
        began = time.perf_counter()
        cloud.start()
        restarts.append(time.perf_counter() - began)
        connect(cloud, writers)
        for writer in writers:
            writer.verify()
        check(cloud)
    with capsys.disabled():
        counts = ", ".join(f"{type(one).__name__} {one.answered}" for one in writers)
        restarts.sort()
        print(
            f"\nstorm: {ROUNDS} kills, answered {counts}; restart median "
            f"{restarts[len(restarts) // 2]:.2f} s, slowest {restarts[-1]:.2f} s"
        )
    assert all(writer.answered for writer in writers)
    assert restarts[-1] < RESTART_SECONDS_MAX
