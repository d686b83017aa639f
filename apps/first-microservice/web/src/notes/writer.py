"""The function that answers what changes something. Nobody's change is lost: whoever changes or
deletes a note says which version was seen, and is told when there is a newer one.
"""

import secrets
from datetime import UTC, datetime

import table
from rules import instant, read_id, read_note, read_notebook, shown
from web import Refused, routed

ID_BYTES = 9


def make_notebook(call):
    name, created = read_notebook(call.json().get("name")), instant(datetime.now(UTC))
    try:
        table.make_notebook(name, created)
    except table.Differs:
        raise Refused(409, f"There is a notebook {name} already.") from None
    return 201, {"name": name, "created": created}


def drop_notebook(call):
    name = read_notebook(call.path("notebook"))
    found = table.load_notebook(name)
    if found is None:
        raise Refused(404, f"There is no notebook {name}.")
    notes, _ = table.list_notes(name, 1, None, datetime.now(UTC))
    if notes:
        raise Refused(409, f"{name} has notes in it.")
    try:
        table.drop_notebook(name, found["made"])
    except (table.Differs, table.Busy):
        raise Refused(409, f"{name} was changed meanwhile.") from None
    return 204, None


def make_note(call):
    name, now = read_notebook(call.path("notebook")), datetime.now(UTC)
    at = instant(now)
    item = {
        **read_note(call.json(), now),
        "notebook": name,
        "id": secrets.token_urlsafe(ID_BYTES),
        "created": at,
        "changed": at,
        "version": 1,
    }
    try:
        table.make_note(item)
    except table.Differs:
        raise Refused(404, f"There is no notebook {name}.") from None
    except table.Busy:
        raise Refused(503, f"Too many write to {name} at this moment: try again.") from None
    return 201, shown(item)


def change_note(call):
    name, note = read_notebook(call.path("notebook")), read_id(call.path("id"))
    seen = call.version()
    now = datetime.now(UTC)
    chosen = read_note(call.json(), now)
    old = table.load_note(name, note, now)
    if old is None:
        raise Refused(404, "There is no such note.")
    item = {
        **chosen,
        "notebook": name,
        "id": note,
        "created": old["created"],
        "changed": instant(now),
        "version": seen + 1,
    }
    unless_newer(lambda: table.replace_note(item, seen, now), now)
    return 200, shown(item)


def drop_note(call):
    name, note = read_notebook(call.path("notebook")), read_id(call.path("id"))
    seen = call.version()
    now = datetime.now(UTC)
    unless_newer(lambda: table.drop_note(name, note, seen, now), now)
    return 204, None


def unless_newer(write, now):
    """Write; when another version is there, say so and show it."""
    try:
        write()
    except table.Differs as met:
        if met.item is None or not table.is_alive(met.item, now):
            raise Refused(404, "There is no such note.") from None
        current = shown(met.item)
        raise Refused(412, "The note was changed meanwhile.", current=current) from None
    except table.Busy:
        raise Refused(503, "Too many write to this note at this moment: try again.") from None


handler = routed(
    {
        ("POST", "/notebooks"): make_notebook,
        ("DELETE", "/notebooks/{notebook}"): drop_notebook,
        ("POST", "/notebooks/{notebook}/notes"): make_note,
        ("PUT", "/notebooks/{notebook}/notes/{id}"): change_note,
        ("DELETE", "/notebooks/{notebook}/notes/{id}"): drop_note,
    }
)
