"""What a note and a notebook may be, and how a note is shown. Knows neither table nor gateway."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta

from web import Refused

TITLE_MAX = 120
TEXT_MAX = 20_000
EXCERPT_MAX = 160
DAYS_MAX = 3660
LIMIT, LIMIT_MAX = 25, 100

NOTEBOOK = re.compile(r"[^\W_](?:[\w &'.,-]{0,38}[^\W_])?")
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
TAG = re.compile(r"[^\W_][\w-]{0,29}")


def read_notebook(value):
    """The name of a notebook: letters of any script, digits, and a few signs between them."""
    if not isinstance(value, str) or not NOTEBOOK.fullmatch(normal(value)):
        raise Refused(
            400, "A notebook's name has up to 40 letters, digits, spaces and & ' . , - _ inside."
        )
    return normal(value)


def read_note(given, now):
    """The attributes of a note that its writer chooses."""
    unknown = set(given) - {"title", "text", "tag", "expires"}
    if unknown:
        raise Refused(400, f"A note has no {min(unknown)}.")
    title, text = given.get("title"), given.get("text", "")
    if not isinstance(title, str) or not 1 <= len(normal(title)) <= TITLE_MAX:
        raise Refused(400, f"title must have 1 to {TITLE_MAX} characters.")
    if not isinstance(text, str) or len(text) > TEXT_MAX:
        raise Refused(400, f"text must have at most {TEXT_MAX:,} characters.")
    title = normal(title)
    chosen = {
        "title": title,
        "sorted_title": sorted_by(title),
        "initial": sorted_by(title)[0],
        "text": text,
        "excerpt": " ".join(text[: 2 * EXCERPT_MAX].split())[:EXCERPT_MAX],
    }
    if given.get("tag"):
        chosen["tag"] = read_tag(given["tag"])
    if given.get("expires"):
        chosen["expires"] = read_expiry(given["expires"], now)
    return chosen


def read_tag(value):
    if not isinstance(value, str) or not TAG.fullmatch(sorted_by(value)):
        raise Refused(400, "tag must have up to 30 letters, digits, hyphens and underscores.")
    return sorted_by(value)


def read_beginning(value):
    """The beginning of a title, as the index has it."""
    if not 1 <= len(normal(value)) <= TITLE_MAX:
        raise Refused(400, f"title must have 1 to {TITLE_MAX} characters.")
    return sorted_by(value)


def read_id(value):
    """The id of a note. What cannot be one is that of no note."""
    if not ID.fullmatch(value):
        raise Refused(404, "There is no such note.")
    return value


def read_expiry(value, now):
    """When a note goes, in seconds since 1970, as DynamoDB's TTL wants it."""
    try:
        moment = datetime.fromisoformat(value)
        seconds = int(moment.timestamp()) if moment.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        seconds = None
    if seconds is None:
        raise Refused(400, "expires must be a time with its zone, such as 2030-01-31T18:00:00Z.")
    if not now < datetime.fromtimestamp(seconds, UTC) <= now + timedelta(days=DAYS_MAX):
        raise Refused(400, "expires must be in the future, and within ten years.")
    return seconds


def read_limit(value):
    if value is None:
        return LIMIT
    if not re.fullmatch("[0-9]{1,3}", value) or not 1 <= int(value) <= LIMIT_MAX:
        raise Refused(400, f"limit must be a number from 1 to {LIMIT_MAX}.")
    return int(value)


def shown(item):
    """A note as the API tells it; of a list, without its text."""
    told = {name: item.get(name) for name in ("notebook", "id", "title", "tag")}
    told["text" if "text" in item else "excerpt"] = item.get("text", item.get("excerpt", ""))
    told |= {"created": item["created"], "changed": item["changed"]}
    told["expires"] = None
    if "expires" in item:
        told["expires"] = instant(datetime.fromtimestamp(int(item["expires"]), UTC))
    return told | {"version": int(item["version"])}


def instant(moment):
    """UTC, to the millisecond: such texts sort as their times do."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def normal(text):
    return unicodedata.normalize("NFC", " ".join(text.split()))


def sorted_by(text):
    """A text as indexes have it, for which upper and lower case are the same."""
    return normal(text).casefold()
