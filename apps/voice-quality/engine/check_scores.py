#!/usr/bin/env python3
"""Checks the open engine against the values that ViSQOL's own project publishes for its recordings.

`check_scores.py FOLDER`, where FOLDER is a checkout of https://github.com/google/visqol: the
recordings are in its `testdata/`, the values in its `src/include/conformance.h`.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

TOLERANCE = 0.005
"""The largest difference that is let pass: the engine here is another implementation."""
MUSIC, SPEECH = "testdata/conformance_testdata_subset", "testdata/clean_speech"
PUBLISHED = [
    ("speech", SPEECH, "CA01_01", "transcoded_CA01_01", 3.3129234313964844),
    ("speech", SPEECH, "CA01_01", "CA01_01", 4.505550384521484),
    ("audio", SPEECH, "CA01_01", "transcoded_CA01_01", 1.7658378752958486),
    ("audio", MUSIC, "strauss48_stereo", "strauss48_stereo_lp35", 1.3888791489130758),
    ("audio", MUSIC, "steely48_stereo", "steely48_stereo_lp7", 2.2501683734385183),
    ("audio", MUSIC, "sopr48_stereo", "sopr48_stereo_256kbps_aac", 4.68228969737946),
    ("audio", MUSIC, "ravel48_stereo", "ravel48_stereo_128kbps_opus", 4.465141897255348),
    ("audio", MUSIC, "moonlight48_stereo", "moonlight48_stereo_128kbps_aac", 4.684292801646114),
    ("audio", MUSIC, "harpsichord48_stereo", "harpsichord48_stereo_96kbps_mp3", 4.22374532766003),
    ("audio", MUSIC, "guitar48_stereo", "guitar48_stereo_64kbps_aac", 4.349722308064298),
    ("audio", MUSIC, "glock48_stereo", "glock48_stereo_48kbps_aac", 4.332452943882108),
    (
        "audio",
        MUSIC,
        "contrabassoon48_stereo",
        "contrabassoon48_stereo_24kbps_aac",
        2.346868205375293,
    ),
    ("audio", MUSIC, "castanets48_stereo", "castanets48_stereo", 4.732101253042348),
]


def score(reference, degraded, mode):
    """What the engine's command says, as a job runs it."""
    command = Path(__file__).resolve().parent / "visqol_command.py"
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.txt"
        subprocess.run([sys.executable, command, reference, degraded, mode, result], check=True)
        lines = dict(line.split(": ", 1) for line in result.read_text().splitlines())
    return float(lines["mos_lqo"])


def main(folder):
    worst = 0.0
    print("| mode | recording | published | here | difference |\n|---|---|---|---|---|")
    for mode, place, reference, degraded, published in PUBLISHED:
        found = score(
            Path(folder) / place / f"{reference}.wav",
            Path(folder) / place / f"{degraded}.wav",
            mode,
        )
        worst = max(worst, abs(found - published))
        told = f"{published:.4f} | {found:.4f} | {found - published:+.4f}"
        print(f"| {mode} | {degraded} | {told} |", flush=True)
    if worst > TOLERANCE:
        sys.exit(f"the largest difference is {worst:.4f}; {TOLERANCE} may be")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
