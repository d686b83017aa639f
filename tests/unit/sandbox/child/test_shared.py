from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from cumulet.sandbox.child.python import shared
from cumulet.sandbox.machine.runtimes import Runtimes

BEGIN = f"""
import gc, importlib.util, sys
spec = importlib.util.spec_from_file_location("shared", {str(Path(shared.__file__))!r})
shared = importlib.util.module_from_spec(spec)
spec.loader.exec_module(shared)
"""


def run(python: str, source: str) -> str:
    """What a script says whose process is its own, as these things are done for good."""
    words = [python, "-I", "-S", "-B", "-c", BEGIN + source]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_new_objects_find_no_gap_among_the_old_ones() -> None:
    found = run(
        sys.executable,
        "many = [[bytes(n % 400) for n in range(20_000)] for _ in range(4)]\n"
        "kept = many[0][::7]\n"
        "del many\n"
        "before = sum(shared._gaps().values())\n"
        "shared.close_gaps()\n"
        "print(before, sum(shared._gaps().values()))\n",
    )
    before, after = map(int, found.split())
    assert before > 10_000
    assert after < before / 5


def test_what_is_alive_is_counted_no_more_where_that_is_possible() -> None:
    for python in Runtimes().pythons().values():
        found = run(
            python,
            "import json\n"
            "class Thing:\n"
            "    def __init__(self): self.name = 'thing of no great length'\n"
            "    def tell(self): return [self.name, 'a constant of code']\n"
            "thing, table = Thing(), {'one': [1000001]}\n"
            "possible = shared.may_immortalise()\n"
            "shared.share()\n"
            "several = [thing, table, table['one'], thing.name, Thing.tell, Thing.tell.__code__,\n"
            "           Thing.tell.__code__.co_consts[1], json.dumps]\n"
            "print(possible == all(sys.getrefcount(one) == 0xFFFFFFFF for one in several))\n"
            "table['two'] = thing.tell()\n"
            "del table['one'], thing.name\n"
            "fresh = [object(), {}, bytes(100)]\n"
            "print(any(sys.getrefcount(one) > 100 for one in fresh))\n"
            "del thing\n"
            "gc.collect()\n"
            "print(json.dumps(table), Thing().tell()[0])\n",
        )
        assert found == (
            "True\nFalse\n"
            '{"two": ["thing of no great length", "a constant of code"]} thing of no great length\n'
        ), python
