"""Tables out to S3 and in from it: exports and imports, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from cumulet.core.clock import new_hex, new_uuid
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb import permissions
from cumulet.services.dynamodb.copies.describing import earliest
from cumulet.services.dynamodb.copies.exporting import folder_of
from cumulet.services.dynamodb.copies.importing import LOG_GROUP
from cumulet.services.dynamodb.copies.limits import JOBS_LISTED_MAX
from cumulet.services.dynamodb.copies.model import Job, caller_of
from cumulet.services.dynamodb.copies.records import JOBS
from cumulet.services.dynamodb.copies.store import begin_copy
from cumulet.services.dynamodb.errors import (
    ExportConflictException,
    ExportNotFoundException,
    ImportConflictException,
    ImportNotFoundException,
    InvalidExportTimeException,
    PointInTimeRecoveryUnavailableException,
    ResourceInUseException,
    ValidationException,
)
from cumulet.services.dynamodb.model import Table
from cumulet.services.dynamodb.operations.backup import own_table
from cumulet.services.dynamodb.operations.table import DATA_BYTES, fresh_of
from cumulet.services.dynamodb.store.history import moment_of
from cumulet.services.dynamodb.store.records import NOWHERE, TABLES
from cumulet.services.dynamodb.tables.making import Birth, make_table
from cumulet.services.dynamodb.tables.schema import WRONG
from cumulet.services.dynamodb.tables.views import arn_place, place_of

Request = Mapping[str, Any]
Place = tuple[str, str, str]
_TOKEN_BYTES_MIN = 56
_TOKEN_BLOCK = 8


def _table_given(ctx: Context, request: Request) -> str:
    account, region, name = place_of(ctx, request["TableArn"])
    return Scope(account, region).arn("dynamodb", f"table/{name}")


def _export_given(ctx: Context, request: Request) -> str:
    return str(request["ExportArn"])


def _import_given(ctx: Context, request: Request) -> str:
    return str(request["ImportArn"])


def _table_made(ctx: Context, request: Request) -> str:
    name = request["TableCreationParameters"]["TableName"]
    return ctx.scope.arn("dynamodb", f"table/{name}")


def _refuse(request: Request, *members: str) -> None:
    for name in members:
        if request.get(name) is not None:
            raise ValidationException(f"{WRONG}{name} is not supported in Cumulet")


@operation("ExportTableToPointInTime", resource=_table_given)
async def export_table_to_point_in_time(ctx: Context, request: Request) -> dict[str, Any]:
    """Begin to write a table, as it was at a moment, into a bucket."""
    _refuse(request, "IncrementalExportSpecification", "FilterSpecification", "S3SseKmsKeyId")
    for member, only in (
        ("ExportFormat", "DYNAMODB_JSON"),
        ("ExportType", "FULL_EXPORT"),
        ("S3SseAlgorithm", "AES256"),
    ):
        if request.get(member) not in (None, only):
            raise ValidationException(f"{WRONG}{member} must be {only} in Cumulet")
    now = ctx.clock.now()
    job_id = f"{round(now * 1000):014d}-{new_hex(ctx.clock, 8)}"
    settings = {name: value for name, value in request.items() if name != "ClientToken"}
    job = Job(
        account=ctx.scope.account,
        region=ctx.scope.region,
        kind="export",
        id=job_id,
        table="",
        table_id="",
        started=now,
        settings=settings,
        caller=caller_of(ctx.caller),
        token=request.get("ClientToken") or new_uuid(ctx.clock),
    )
    place = place_of(ctx, request["TableArn"])
    begun = await ctx.transact(_begin_export, place, job, ctx.clock.random_bytes(DATA_BYTES))
    return {"ExportDescription": _shown_export(begun)}


async def _begin_export(tx: Transaction, scope: Scope, place: Place, job: Job, fresh: bytes) -> Job:
    if place[:2] != tuple(scope):
        raise ValidationException("A table is exported from its own account and region")
    table = await own_table(tx, place)
    earlier = await _of_token(tx, job, table.name)
    if earlier is not None:
        if _asked(earlier) != _asked(job):
            raise ExportConflictException("The client token was used for another export")
        return earlier
    now = job.started
    if table.recovery is None:
        raise PointInTimeRecoveryUnavailableException(
            f"Point in time recovery is not enabled for table: {table.name}"
        )
    at = job.settings.get("ExportTime")
    at = now if at is None else float(at)
    if not earliest(table.recovery, now) <= at <= now:
        raise InvalidExportTimeException(
            "ExportTime must be within the table's point in time recovery window"
        )
    begun = msgspec.structs.replace(
        job,
        table=table.name,
        table_id=table.id,
        moment=moment_of(at) + (at < now),
        settings={**job.settings, "ExportTime": at, "given": job.settings.get("ExportTime")},
    )
    await begin_copy(tx, table, begun, fresh)
    return begun


def _asked(job: Job) -> bytes:
    """What a job was asked for, to tell whether it is asked for again."""
    kept = ("ExportTime", "given", "last", "errors")
    asked = {name: value for name, value in job.settings.items() if name not in kept}
    asked["at"] = job.settings.get("given", job.settings.get("ExportTime"))
    return orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)


async def _of_token(tx: Transaction, job: Job, table: str) -> Job | None:
    """An export or import of the same client token, of those that are still told of."""
    after: tuple[Any, ...] | None = None
    while True:
        page = await JOBS.scan(
            tx, NOWHERE, job.account, job.region, job.kind, table, limit=100, after=after
        )
        for one in page:
            if one.token == job.token:
                return one
        if len(page) < 100:
            return None
        last = page[-1]
        after = (last.account, last.region, last.kind, last.table, last.id)


def _shown_export(job: Job) -> dict[str, Any]:
    settings = job.settings
    shown: dict[str, Any] = {
        "ExportArn": job.arn,
        "ExportStatus": job.status,
        "StartTime": job.started,
        "TableArn": job.arn.partition("/export/")[0],
        "TableId": job.table_id,
        "ExportTime": settings["ExportTime"],
        "ClientToken": job.token,
        "S3Bucket": settings["S3Bucket"],
        "S3SseAlgorithm": settings.get("S3SseAlgorithm") or "AES256",
        "ExportFormat": "DYNAMODB_JSON",
        "ExportType": "FULL_EXPORT",
    }
    for name in ("S3BucketOwner", "S3Prefix"):
        if settings.get(name):
            shown[name] = settings[name]
    if job.ended:
        shown["EndTime"] = job.ended
    if job.status == "COMPLETED":
        shown |= {
            "ExportManifest": f"{folder_of(job)}/manifest-summary.json",
            "BilledSizeBytes": job.size,
            "ItemCount": job.items,
        }
    return shown | _failure(job)


def _failure(job: Job) -> dict[str, Any]:
    if job.status != "FAILED":
        return {}
    return {"FailureCode": job.failure_code, "FailureMessage": job.failure}


async def _find(tx: Transaction, scope: Scope, kind: str, arn: str) -> Job | None:
    parts = arn.split(":", 5)
    words = parts[5].split("/") if len(parts) == 6 else []
    if len(words) != 4 or (words[0], words[2]) != ("table", kind):
        raise ValidationException(f"Invalid {kind.capitalize()}Arn: {arn}")
    if (parts[4], parts[3]) != tuple(scope):
        return None
    return await JOBS.load(tx, NOWHERE, *scope, kind, words[1], words[3])


@operation("DescribeExport", resource=_export_given)
async def describe_export(ctx: Context, request: Request) -> dict[str, Any]:
    """Show an export, and how it ended."""
    job = await ctx.transact(_find, "export", request["ExportArn"])
    if job is None:
        raise ExportNotFoundException(f"Export not found: {request['ExportArn']}")
    return {"ExportDescription": _shown_export(job)}


@operation("ListExports", resource=permissions.everything)
async def list_exports(ctx: Context, request: Request) -> dict[str, Any]:
    """The exports of the last ninety days, of all tables or one, in pages."""
    page, token = await _list(ctx, request, "export", request.get("MaxResults"))
    shown = [
        {"ExportArn": job.arn, "ExportStatus": job.status, "ExportType": "FULL_EXPORT"}
        for job in page
    ]
    return {"ExportSummaries": shown, **token}


async def _list(
    ctx: Context, request: Request, kind: str, limit: int | None
) -> tuple[list[Job], dict[str, str]]:
    table = request.get("TableArn")
    name = None if table is None else arn_place(ctx, table)[2]
    most = limit or JOBS_LISTED_MAX
    after = _read_token(request.get("NextToken"))
    found = await ctx.transact(_scan, kind, name, after, most + 1)
    if len(found) <= most:
        return found, {}
    last = found[most - 1]
    return found[:most], {"NextToken": _make_token(last.table, last.id)}


async def _scan(
    tx: Transaction,
    scope: Scope,
    kind: str,
    name: str | None,
    after: list[str] | None,
    limit: int,
) -> list[Job]:
    wanted = (*scope, kind) if name is None else (*scope, kind, name)
    at = None if after is None else (*scope, kind, *after)
    return await JOBS.scan(tx, NOWHERE, *wanted, limit=limit, after=at)


def _make_token(table: str, job_id: str) -> str:
    """A token in the form that the model asks for: so many hexadecimal digits."""
    text = orjson.dumps([table, job_id])
    size = max(_TOKEN_BYTES_MIN, -(-len(text) // _TOKEN_BLOCK) * _TOKEN_BLOCK)
    return text.ljust(size).hex()


def _read_token(token: str | None) -> list[str] | None:
    if token is None:
        return None
    try:
        found = orjson.loads(bytes.fromhex(token))
        if len(found) == 2 and all(isinstance(one, str) for one in found):
            return list(found)
    except (ValueError, TypeError):
        pass
    raise ValidationException("Invalid NextToken")


@operation("ImportTable", resource=_table_made)
async def import_table(ctx: Context, request: Request) -> dict[str, Any]:
    """Begin to make a table of the objects of a bucket; it is there when all rows are."""
    if request["InputFormat"] == "ION":
        raise ValidationException(f"{WRONG}InputFormat ION is not supported in Cumulet")
    if request.get("InputCompressionType") == "ZSTD":
        raise ValidationException(f"{WRONG}InputCompressionType ZSTD is not supported in Cumulet")
    if request.get("InputFormatOptions") and request["InputFormat"] != "CSV":
        raise ValidationException(f"{WRONG}InputFormatOptions are for CSV only")
    birth = Birth(
        new_uuid(ctx.clock), ctx.clock.random_bytes(DATA_BYTES), fresh_of(ctx), new_uuid(ctx.clock)
    )
    asked = request["TableCreationParameters"]
    now = birth.fresh.now
    job_id = f"{round(now * 1000):014d}-{new_hex(ctx.clock, 8)}"
    table = msgspec.structs.replace(
        make_table(ctx.scope, asked["TableName"], asked, birth), filling=job_id
    )
    job = Job(
        account=ctx.scope.account,
        region=ctx.scope.region,
        kind="import",
        id=job_id,
        table=table.name,
        table_id=table.id,
        started=now,
        settings={name: value for name, value in request.items() if name != "ClientToken"},
        caller=caller_of(ctx.caller),
        token=request.get("ClientToken") or new_uuid(ctx.clock),
    )
    begun = await ctx.transact(_begin_import, table, job)
    return {"ImportTableDescription": _shown_import(begun)}


async def _begin_import(tx: Transaction, scope: Scope, table: Table, job: Job) -> Job:
    earlier = await _of_token(tx, job, table.name)
    if earlier is not None:
        if _asked(earlier) != _asked(job):
            raise ImportConflictException("The client token was used for another import")
        return earlier
    if not await TABLES.insert(tx, NOWHERE, table):
        raise ResourceInUseException(f"Table already exists: {table.name}")
    await JOBS.save(tx, NOWHERE, job)
    return job


_IMPORT_MEMBERS = ("InputFormat", "InputFormatOptions", "S3BucketSource", "TableCreationParameters")


def _shown_import(job: Job) -> dict[str, Any]:
    settings = job.settings
    shown: dict[str, Any] = {
        "ImportArn": job.arn,
        "ImportStatus": job.status,
        "TableArn": job.arn.partition("/import/")[0],
        "TableId": job.table_id,
        "ClientToken": job.token,
        "InputCompressionType": settings.get("InputCompressionType") or "NONE",
        "StartTime": job.started,
        "CloudWatchLogGroupArn": _log_group(job),
        "ErrorCount": settings.get("errors", 0),
        "ImportedItemCount": job.items,
        "ProcessedItemCount": job.items + settings.get("errors", 0),
        "ProcessedSizeBytes": job.size,
        **{name: settings[name] for name in _IMPORT_MEMBERS if name in settings},
    }
    if job.ended:
        shown["EndTime"] = job.ended
    return shown | _failure(job)


def _log_group(job: Job) -> str:
    return job.scope.arn("logs", f"log-group:{LOG_GROUP}:*")


@operation("DescribeImport", resource=_import_given)
async def describe_import(ctx: Context, request: Request) -> dict[str, Any]:
    """Show an import, and how it ended."""
    job = await ctx.transact(_find, "import", request["ImportArn"])
    if job is None:
        raise ImportNotFoundException(f"Import not found: {request['ImportArn']}")
    return {"ImportTableDescription": _shown_import(job)}


@operation("ListImports", resource=permissions.everything)
async def list_imports(ctx: Context, request: Request) -> dict[str, Any]:
    """The imports of the last ninety days, of all tables or one, in pages."""
    page, token = await _list(ctx, request, "import", request.get("PageSize"))
    shown = []
    for job in page:
        one = {
            "ImportArn": job.arn,
            "ImportStatus": job.status,
            "TableArn": job.arn.partition("/import/")[0],
            "S3BucketSource": job.settings["S3BucketSource"],
            "CloudWatchLogGroupArn": _log_group(job),
            "InputFormat": job.settings["InputFormat"],
            "StartTime": job.started,
        }
        shown.append({**one, "EndTime": job.ended} if job.ended else one)
    return {"ImportSummaryList": shown, **token}
