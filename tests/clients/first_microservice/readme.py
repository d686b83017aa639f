"""READMEs typed as they stand: their shell blocks, and a shell that has the programs they name."""

import re
import sys
from pathlib import Path


def blocks(text):
    """The shell blocks below a heading, by heading."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {name: re.findall(r"```sh\n(.*?)```", body, re.DOTALL) for name, body in pairs}


def shell_in(folder, names, run, cloud, *programs):
    """A function that types a text in a folder, with `cumulet` and programs by their plain names.

    `names` is a folder that is not there yet; it will hold the programs.
    """
    names.mkdir()
    for program in map(Path, programs):
        (names / program.name).symlink_to(program)
    (names / "cumulet").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cumulet "$@"\n')
    (names / "cumulet").chmod(0o755)
    path = f"{names}:{Path(sys.executable).parent}:/usr/bin:/bin"

    def shell(text, **more):
        more = {"PATH": path, "CUMULET_DATA": str(cloud.data), **more}
        return run("bash", "-euc", text, folder=folder, **more).stdout

    return shell
