"""The embedded engine: one folder on disk, one process, every answer durable."""

from cumulet.kv.embedded.files import Damaged, InUse
from cumulet.kv.embedded.store import EmbeddedStore, open_embedded

__all__ = ["Damaged", "EmbeddedStore", "InUse", "open_embedded"]
