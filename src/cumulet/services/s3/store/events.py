"""What happens to objects, kept for those who want to know it in the transaction that does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from cumulet.core.clock import iso_time
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.s3.model import Bucket, Event, Stored
from cumulet.services.s3.rules.events import record_of, wanted_by
from cumulet.services.s3.store import EVENTS


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that a request does. `note` may be run again with its transaction."""

    name: str
    now: float
    fresh: str
    actor: dict[str, Any]
    trace_header: str = ""

    def note(
        self, tx: Transaction, scope: Scope, bucket: Bucket, stored: Stored, name: str = ""
    ) -> None:
        """Queue it for each target of the bucket's configuration that wants it."""
        configuration = bucket.settings.get("Notification")
        if not configuration:
            return
        name = name or self.name
        for number, wanted in enumerate(wanted_by(configuration, name, stored.key)):
            record = record_of(bucket, stored, name, iso_time(self.now))
            record |= self.actor
            record["s3"]["configurationId"] = wanted.id
            now_ms = int(self.now * 1000)
            event = Event(
                now_ms,
                f"{stored.order:020}/{self.fresh}/{number:03}/{stored.key}",
                bucket.account,
                bucket.region,
                bucket.name,
                wanted.target,
                orjson.dumps({"Records": [record]}).decode(),
                now_ms,
                trace_header=self.trace_header,
            )
            EVENTS.add(tx, scope, event)


def told_of(ctx: Context, name: str) -> Happening:
    """A thing that the caller of this context does, now."""
    request = ctx.request
    caller = ctx.caller
    who = caller.user_id if caller.kind != "anonymous" else "ANONYMOUS"
    actor = {
        "userIdentity": {"principalId": f"AWS:{who}" if caller.kind != "root" else who},
        "requestParameters": {"sourceIPAddress": request.peer if request is not None else ""},
        "responseElements": {
            "x-amz-request-id": ctx.request_id,
            "x-amz-id-2": ctx.request_id,
        },
    }
    return Happening(name, ctx.clock.now(), ctx.request_id, actor, ctx.kept_trace_header)


def by_itself(now: float, fresh: str) -> Happening:
    """A thing that S3 does by itself, such as an expiration."""
    actor = {
        "userIdentity": {"principalId": "s3.amazonaws.com"},
        "requestParameters": {"sourceIPAddress": "s3.amazonaws.com"},
        "responseElements": {"x-amz-request-id": fresh, "x-amz-id-2": fresh},
    }
    return Happening("", now, fresh, actor)
