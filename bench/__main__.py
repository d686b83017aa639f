"""`make bench`: every benchmark, or those named as arguments."""

from __future__ import annotations

import argparse

from bench import identity, start
from bench.databases import dynamodb, scores
from bench.functions import cold, invoke
from bench.gateways import chat, observing, rest, sign_ins, sockets
from bench.load import pin
from bench.queues import sqs, voice, waking
from bench.storage import logs, s3, uploads

BENCHMARKS = {
    "start": start.run,
    "identity": identity.run,
    "invoke": invoke.run,
    "gateway": rest.run,
    "observing": observing.run,
    "sockets": sockets.run,
    "sign-ins": sign_ins.run,
    "cold": cold.run,
    "dynamodb": dynamodb.run,
    "scores": scores.run,
    "s3": s3.run,
    "uploads": uploads.run,
    "logs": logs.run,
    "sqs": sqs.run,
    "chat": chat.run,
    "waking": waking.run,
    "voice": voice.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark is called {unknown[0]}; there are {', '.join(BENCHMARKS)}")
    pin(1)
    for name in names:
        BENCHMARKS[name]()


main()
