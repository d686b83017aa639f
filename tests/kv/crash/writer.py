"""A process that writes numbered batches to a store until it dies.

Prints the number of each batch once it was answered. With a point and a number given, it kills
itself when it comes to that point for the nth time; else its parent kills it.
"""

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

from tests.kv.crash.batches import save_batch

from cumulet.kv.embedded import open_embedded

TASKS = 8


def main() -> None:
    folder, point, nth, first = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    lock = threading.Lock()
    seen = 0

    def on_step(step: str) -> None:
        nonlocal seen
        with lock:
            seen += step == point
            if step == point and seen == nth:
                os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(write(folder, first, on_step))


async def write(folder: Path, first: int, on_step) -> None:
    store = open_embedded(folder, on_step=on_step)
    numbers = iter(range(first, first + 1_000_000))

    async def task() -> None:
        for number in numbers:
            await store.transact(lambda tx, number=number: save_batch(tx, number))
            os.write(1, b"%d\n" % number)

    await asyncio.gather(*(task() for _ in range(TASKS)))


if __name__ == "__main__":
    main()
