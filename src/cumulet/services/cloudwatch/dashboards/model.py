"""Dashboards as records."""

from __future__ import annotations

import msgspec

from cumulet.core.identity import Scope


class Dashboard(msgspec.Struct, frozen=True):
    """A dashboard; `body` is JSON text as it was put. Times are epoch seconds."""

    name: str
    body: str
    modified_at: float


def dashboard_arn(scope: Scope, name: str) -> str:
    """The ARN of a dashboard; it has no region."""
    return scope.global_arn("cloudwatch", f"dashboard/{name}")
