"""Dashboards' records in the store. They belong to an account, not to one of its regions."""

from __future__ import annotations

from cumulet.kv.table import Table
from cumulet.services.cloudwatch.dashboards.model import Dashboard

DASHBOARDS: Table[Dashboard] = Table(
    "cloudwatch", "dashboard", Dashboard, lambda one: (one.name,), extent="account"
)
TABLES = (DASHBOARDS,)
