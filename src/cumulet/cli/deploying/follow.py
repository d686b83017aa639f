"""Following a stack while it changes: its events as lines, its end as a truth value."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Any

from cumulet.cli.say import Progress, fail, say

_POLL_SECONDS = 0.25
_GIVE_UP_SECONDS = 3600
_SETTLED = ("COMPLETE", "FAILED")
_PASSING = ("CLEANUP_IN_PROGRESS",)


class Follower:
    """Reads the events of one stack from the time it was made on."""

    def __init__(self, client: Any, stack: str, progress: Progress) -> None:
        self._client = client
        self._stack = stack
        self._progress = progress
        self._seen: set[str] = set()
        self._pause = threading.Event()
        self.started = datetime.now(UTC)
        self.started_ms = int(time.time() * 1000)

    def change_set_type(self) -> str:
        """`CREATE` when the stack is not there yet, else `UPDATE`."""
        from botocore.exceptions import ClientError

        try:
            stack = self._client.describe_stacks(StackName=self._stack)["Stacks"][0]
        except ClientError:
            return "CREATE"
        status = stack["StackStatus"]
        if status == "REVIEW_IN_PROGRESS":
            return "CREATE"
        if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"):
            self._progress.step(f"removing what is left of {self._stack} ({status})")
            self._client.delete_stack(StackName=stack["StackId"])
            self._client.get_waiter("stack_delete_complete").wait(
                StackName=stack["StackId"], WaiterConfig={"Delay": 1}
            )
            return "CREATE"
        for event in self._new_events(everything=True):
            self._seen.add(event["EventId"])
        return "UPDATE"

    def wait_for_change_set(self, name: str) -> dict[str, Any]:
        """The change set once it is made or has failed."""
        self._progress.step(f"computing the changes of {self._stack}")
        deadline = time.monotonic() + _GIVE_UP_SECONDS
        while time.monotonic() < deadline:
            made: dict[str, Any] = self._client.describe_change_set(
                StackName=self._stack, ChangeSetName=name
            )
            if made["Status"] in ("CREATE_COMPLETE", "FAILED"):
                return made
            self._pause.wait(_POLL_SECONDS)
        fail(f"the change set of {self._stack} was not made in time")

    def follow(self, kind: str) -> bool:
        """Show events until the stack has settled; whether it settled as was wanted."""
        wanted = "CREATE_COMPLETE" if kind == "CREATE" else "UPDATE_COMPLETE"
        deadline = time.monotonic() + _GIVE_UP_SECONDS
        while time.monotonic() < deadline:
            for event in self._new_events():
                self._show(event)
            status = self._client.describe_stacks(StackName=self._stack)["Stacks"][0]["StackStatus"]
            if status.endswith(_SETTLED) and not status.endswith(_PASSING):
                for event in self._new_events():
                    self._show(event)
                self._progress.done()
                say(f"{self._stack}: {status}")
                return bool(status == wanted)
            self._pause.wait(_POLL_SECONDS)
        fail(f"{self._stack} did not settle within {_GIVE_UP_SECONDS} seconds")

    def _new_events(self, *, everything: bool = False) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        pages = self._client.get_paginator("describe_stack_events").paginate(StackName=self._stack)
        for page in pages:
            fresh = [e for e in page["StackEvents"] if e["EventId"] not in self._seen]
            found.extend(fresh)
            if len(fresh) < len(page["StackEvents"]) and not everything:
                break
        return found[::-1]

    def _show(self, event: dict[str, Any]) -> None:
        self._seen.add(event["EventId"])
        status = event["ResourceStatus"]
        what = f"{event['LogicalResourceId']} ({event.get('ResourceType', '')})"
        reason = event.get("ResourceStatusReason", "")
        if status.endswith("FAILED"):
            self._progress.done()
            say(f"  {status}  {what}\n    {reason}")
        elif status.endswith("IN_PROGRESS"):
            self._progress.step(f"  {status}  {what}")
        else:
            self._progress.done()
            say(f"  {status}  {what}")
