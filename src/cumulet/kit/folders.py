"""Folders of the installation that services may write to, given by the application."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CacheFolder:
    """Where derived files go: whatever is there may be deleted while the cloud is down."""

    path: Path
