"""Whether a program printed what a page shows: `…` stands for what differs each time."""

from __future__ import annotations

import re

ANYTHING = "…"
# What only looks: it may be typed again until it prints what was told a moment ago.
_LOOKS = re.compile(
    r"""^(?:\w+=["']?\$\()?\s*(?:
        aws\s(?:--?\S+\s+(?:\S+\s+)?)*\S+\s(?:list|get|describe|filter|head|query|scan|batch-get|ls)
      | cumulet\s(?:logs|ls|costs|mail|doctor|hosts\slist)\b
    )""",
    re.VERBOSE,
)
_CURL = re.compile(r"""^(?:\w+=["']?\$\()?\s*curl\b""")
_CURL_SENDS = re.compile(r"\s(?:-X|-d|-T|-F|--request|--data\S*|--upload-file|--form|--json)\b")


def only_looks(command: str) -> bool:
    """Whether a command changes nothing, so that typing it again is waiting."""
    if _CURL.match(command):
        return _CURL_SENDS.search(command) is None
    return _LOOKS.match(command) is not None


def pattern_of(shown: str, *, whole: bool) -> re.Pattern[str]:
    """The pattern of what a page shows; unless `whole`, more may follow."""
    parts = []
    for line in shown.rstrip().splitlines():
        if line.strip() == ANYTHING:
            parts.append(r"(?:.*\n)*?")
        else:
            pieces = line.rstrip().split(ANYTHING)
            parts.append(".*?".join(map(re.escape, pieces)) + r"[ \t]*\n")
    return re.compile("".join(parts) + (r"\Z" if whole else ""))


def agrees(shown: str, said: str, *, whole: bool = True) -> bool:
    """Whether `said` is what is shown, or, unless `whole`, begins with it."""
    said = said.rstrip() + "\n" if said.strip() else ""
    return pattern_of(shown, whole=whole).match(said) is not None
