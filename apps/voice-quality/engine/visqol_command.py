#!/usr/bin/env python3
"""The open engine behind the command line: `visqol_command.py REFERENCE DEGRADED MODE RESULT`.

Scores with ViSQOL (the package visqol-python) and writes `name: value` lines.
"""

import sys
from pathlib import Path

from visqol import VisqolApi


def main(reference, degraded, mode, result):
    engine = VisqolApi()
    engine.create(mode=mode)
    found = engine.measure(reference, degraded)
    lines = [f"mos_lqo: {found.moslqo:.4f}", f"mode: {mode}", "engine: visqol"]
    Path(result).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:5])
