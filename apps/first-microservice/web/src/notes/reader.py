"""The function that answers every GET: lists of notebooks and notes, and one note."""

from datetime import UTC, datetime

import table
from rules import read_beginning, read_id, read_limit, read_notebook, read_tag, shown
from web import Refused, cursor_of, key_of, routed


def list_notebooks(call):
    return 200, listed(call, table.list_notebooks, "notebooks", told_notebook)


def told_notebook(item):
    return {"name": item["id"], "created": item["created"]}


def list_notes(call):
    name = read_notebook(call.path("notebook"))
    order = call.query.get("order", "newest")
    if order not in ("newest", "oldest"):
        raise Refused(400, "order must be newest or oldest.")

    def search(limit, start):
        return table.list_notes(name, limit, start, datetime.now(UTC), order == "newest")

    found = listed(call, search, "notes", shown)
    if not found["notes"] and table.load_notebook(name) is None:
        raise Refused(404, f"There is no notebook {name}.")
    return 200, found


def find_notes(call):
    tag, title = call.query.get("tag"), call.query.get("title")
    if (tag is None) == (title is None):
        raise Refused(400, "Ask for a tag, or for the beginning of a title.")
    if title is None:
        wanted, search = read_tag(tag), table.list_tagged
    else:
        wanted, search = read_beginning(title), table.list_titled
    return 200, listed(
        call, lambda limit, start: search(wanted, limit, start, datetime.now(UTC)), "notes", shown
    )


def read_one(call):
    notebook, note = read_notebook(call.path("notebook")), read_id(call.path("id"))
    found = table.load_note(notebook, note, datetime.now(UTC))
    if found is None:
        raise Refused(404, "There is no such note.")
    return 200, shown(found)


def listed(call, search, name, told):
    """One page of a list, and the cursor of the next."""
    after = call.query.get("after")
    try:
        items, key = search(read_limit(call.query.get("limit")), key_of(after) if after else None)
    except table.BadStart:
        raise Refused(400, "after must be what `next` of this list said.") from None
    return {name: [told(item) for item in items], "next": cursor_of(key)}


handler = routed(
    {
        ("GET", "/notebooks"): list_notebooks,
        ("GET", "/notebooks/{notebook}/notes"): list_notes,
        ("GET", "/notebooks/{notebook}/notes/{id}"): read_one,
        ("GET", "/notes"): find_notes,
    }
)
