"""What runs before there is a function: nothing, once it is known what the machine offers."""

import os
from pathlib import Path

from cumulet.sandbox import Succeeded


def children() -> set[int]:
    found = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {int(pid) for each in found for pid in each.read_text().split()}


def test_no_interpreter_is_kept_before_it_is_asked_for(play):
    before = children()

    async def scenario(stage):
        assert any(layer.in_force for layer in stage.sandbox.report())
        assert children() <= before
        spec = stage.python("def handler(event, context): return 1\n")
        assert isinstance(await stage.invoke(spec), Succeeded)
        [zygote] = children() - before
        await stage.sandbox.ready()
        assert isinstance(await stage.invoke(spec), Succeeded)
        assert children() - before == {zygote}

    play(scenario)
