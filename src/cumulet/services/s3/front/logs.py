"""Access logs: a line for each request that was carried out, gathered and put into a bucket.

Follows https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html; as there, delivery is
at best effort: what is not written when the server dies is lost.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from cumulet.core.clock import new_hex
from cumulet.core.context import Context, Platform
from cumulet.core.errors import AwsError
from cumulet.core.http import BytesBody
from cumulet.core.identity import Scope, service_principal
from cumulet.core.trace import log_line
from cumulet.services.s3.limits import LOG_LINES_AT_ONCE, LOG_SECONDS
from cumulet.services.s3.model import Bucket, bucket_arn
from cumulet.services.s3.rules.acl import canonical_id
from cumulet.services.s3.store.known import Buckets

PRINCIPAL = "logging.s3.amazonaws.com"


class AccessLogs:
    """The lines that are not in an object yet, by bucket."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}
        self._count = 0

    def add(self, bucket: str, line: str) -> None:
        """Gather a line; beyond the bound it is lost."""
        if self._count < LOG_LINES_AT_ONCE:
            self._lines.setdefault(bucket, []).append(line)
            self._count += 1

    def take(self) -> dict[str, list[str]]:
        """All lines gathered so far, which are then the caller's."""
        taken, self._lines, self._count = self._lines, {}, 0
        return taken


def line_of(
    ctx: Context,
    bucket: Bucket,
    operation: str,
    request: Mapping[str, Any],
    status: int,
    error: str,
    size: int | None,
    started: float,
) -> str:
    """One line of the log."""
    http = ctx.request
    assert http is not None
    caller = ctx.caller
    who = "-" if caller.kind == "anonymous" else caller.arn
    when = datetime.fromtimestamp(ctx.clock.now(), UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    took_ms = int((time.perf_counter() - started) * 1000)
    query = f"?{http.query}" if http.query else ""
    is_signed = caller.kind != "anonymous"
    in_query = "X-Amz-Signature=" in http.query or "Signature=" in http.query
    length = http.body.size_bytes
    fields = [
        canonical_id(bucket.account),
        bucket.name,
        f"[{when}]",
        http.peer,
        who,
        ctx.request_id,
        f"REST.{http.method}.{_kind_of(operation, request)}",
        quote(request["Key"], safe="/-_.~") if request.get("Key") else "-",
        f'"{_quoted(http.method)} {_quoted(http.path)}{_quoted(query)} HTTP/1.1"',
        str(status),
        error or "-",
        str(size) if size else "-",
        str(length) if length else "-",
        str(took_ms),
        str(took_ms),
        f'"{_quoted(http.headers.get("referer", "-"))}"',
        f'"{_quoted(http.headers.get("user-agent", "-"))}"',
        request.get("VersionId") or "-",
        ctx.request_id,
        "SigV4" if is_signed else "-",
        "-",
        ("QueryString" if in_query else "AuthHeader") if is_signed else "-",
        http.host,
        "-",
        "-",
        "-",
    ]
    return " ".join(fields)


def _kind_of(operation: str, request: Mapping[str, Any]) -> str:
    if "UploadId" in request:
        return "PART" if "PartNumber" in request else "UPLOAD"
    return "OBJECT" if request.get("Key") else operation.upper().removeprefix("GET")


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")


async def deliver_logs(platform: Platform) -> float:
    """Put the gathered lines into objects of the buckets that are to have them."""
    for name, lines in platform.need(AccessLogs).take().items():
        known = await platform.need(Buckets).get(name)
        target = known.bucket.settings.get("Logging") if known is not None else None
        if known is None or not target:
            continue
        bucket = known.bucket
        said = {"aws:SourceArn": bucket_arn(name), "aws:SourceAccount": bucket.account}
        scope = Scope(bucket.account, bucket.region)
        ctx = platform.context(scope, service_principal(PRINCIPAL, bucket.account, said))
        try:
            await ctx.call(
                "s3",
                "PutObject",
                Bucket=target["TargetBucket"],
                Key=_key_of(platform, bucket, target),
                Body=BytesBody("".join(f"{line}\n" for line in lines).encode()),
                ContentType="text/plain",
            )
        except AwsError as error:
            log_line(logging.WARNING, "access log not delivered", bucket=name, error=error.code)
    return LOG_SECONDS


def _key_of(platform: Platform, bucket: Bucket, target: Mapping[str, Any]) -> str:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html"""
    now = datetime.fromtimestamp(platform.clock.now(), UTC)
    unique = new_hex(platform.clock, 16).upper()
    prefix = target["TargetPrefix"]
    form = target.get("TargetObjectKeyFormat") or {}
    if "PartitionedPrefix" in form:
        place = f"{bucket.account}/{bucket.region}/{bucket.name}/{now:%Y/%m/%d}/"
        return f"{prefix}{place}{now:%Y-%m-%d-%H-%M-%S}-{unique}"
    return f"{prefix}{now:%Y-%m-%d-%H-%M-%S}-{unique}"
