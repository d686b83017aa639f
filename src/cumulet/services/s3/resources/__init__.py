"""CloudFormation types of S3."""

from __future__ import annotations

from cumulet.services.s3.resources.bucket import RESOURCES

__all__ = ["RESOURCES"]
