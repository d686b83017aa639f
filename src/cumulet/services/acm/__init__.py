"""Certificate Manager: server certificates, signed by the installation's authority or imported."""

from __future__ import annotations

from cumulet.kit.service import Service, operations_of
from cumulet.services.acm.operations import certificate, request, tag
from cumulet.services.acm.resources import RESOURCES
from cumulet.services.acm.store import TABLES
from cumulet.services.acm.workers import WORKERS

SERVICE = Service(
    name="acm",
    prefix="acm",
    operations=operations_of(request, certificate, tag),
    workers=WORKERS,
    resources=RESOURCES,
    tables=TABLES,
)
