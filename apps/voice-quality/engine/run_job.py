#!/usr/bin/env python3
"""Runs one job on the engine's machine: `run_job.py FOLDER`.

Waits for one of the engine's licences, runs the engine's command, and leaves `result.txt` in the
folder, whole or not at all. Settings in the environment or in `settings.json` beside this file:

- `command`: the engine's command line; `{reference}`, `{degraded}`, `{mode}` and `{result}` are put
  in. Default: the open engine, `visqol_command.py` beside this file. An engine in POLQA's style:
  `["polqa", "-Ref", "{reference}", "-Test", "{degraded}", "-Out", "{result}"]`.
- `licences`: how many jobs may run at once (default 1).
- `references`: the folder of the reference recordings.
- `seconds`: how long the engine may take (default 600).
"""

import fcntl
import json
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def read_settings():
    settings = {
        "command": [
            sys.executable,
            str(HERE / "visqol_command.py"),
            "{reference}",
            "{degraded}",
            "{mode}",
            "{result}",
        ],
        "licences": 1,
        "references": str(HERE / "references"),
        "locks": str(HERE / "locks"),
        "seconds": 600,
    }
    path = HERE / "settings.json"
    if path.exists():
        settings |= json.loads(path.read_text())
    return settings


def take_licence(settings):
    """Wait until a licence is free, and hold it for as long as this process lives."""
    folder = Path(settings["locks"])
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        for number in range(int(settings["licences"])):
            lock = (folder / f"licence-{number}").open("w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            return lock
        time.sleep(0.05)


def main(folder):
    settings = read_settings()
    job = json.loads((folder / "job.json").read_text())
    reference = Path(settings["references"]) / f"{job['reference']}.wav"
    draft = folder / "result.draft"
    if not reference.is_file():
        text = f"error: there is no reference {job['reference']}\n"
    else:
        with take_licence(settings):
            text = score(settings, job, reference, folder, draft)
    draft.write_text(text)
    # A job that was cleaned away meanwhile has no folder any more, and needs no result.
    draft.replace(folder / "result.txt")


def score(settings, job, reference, folder, draft):
    values = {
        "reference": str(reference),
        "degraded": str(folder / "degraded.wav"),
        "mode": job["mode"],
        "result": str(draft),
    }
    words = [word.format(**values) for word in settings["command"]]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=settings["seconds"], check=False
        )
    except subprocess.TimeoutExpired:
        return "error: the engine took too long\n"
    except OSError as problem:
        return f"error: the engine cannot be started: {problem}\n"
    if done.returncode != 0:
        said = " ".join(done.stderr.split())[-300:]
        return f"error: the engine ended with {done.returncode}: {said}\n"
    return draft.read_text() if draft.exists() else "error: the engine left no result\n"


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except FileNotFoundError:
        sys.exit("the job is gone")
