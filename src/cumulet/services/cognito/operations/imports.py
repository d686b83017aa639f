"""Jobs that import users from a file.

https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-using-import-tool.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token
from cumulet.kit.ports import Sealer
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.errors import (
    InvalidParameterException,
    LimitExceededException,
    PreconditionNotMetException,
    ResourceNotFoundException,
)
from cumulet.services.cognito.flow.place import SERVICE
from cumulet.services.cognito.hosted.imports.upload import address_of
from cumulet.services.cognito.limits import IMPORT_JOBS_MAX, IMPORT_START_SECONDS
from cumulet.services.cognito.model import ImportJob, new_code
from cumulet.services.cognito.operations.pool import loaded, position
from cumulet.services.cognito.rules import permissions
from cumulet.services.cognito.rules.import_file import header_of

_ID_LENGTH = 10


@operation("GetCSVHeader", resource=permissions.pool, conditions=permissions.keys)
async def get_csv_header(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell the columns of a file for this pool."""
    pool = await loaded(ctx, request["UserPoolId"])
    return {"UserPoolId": pool.id, "CSVHeader": header_of(pool.schema)}


@operation("CreateUserImportJob", resource=permissions.pool, conditions=permissions.keys)
async def create_user_import_job(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make a job, and the address to which its file is put."""
    pool = await loaded(ctx, request["UserPoolId"])
    if request.get("PasswordHashingAlgorithm"):
        raise InvalidParameterException(
            "Importing password hashes is not supported here: PasswordHashingAlgorithm."
        )
    role = request["CloudWatchLogsRoleArn"]
    await ctx.authorize("iam:PassRole", role, iam_PassedToService=SERVICE)
    job = ImportJob(
        pool=pool.id,
        id=f"import-{new_code(ctx.clock, _ID_LENGTH)}",
        name=request["JobName"],
        account=ctx.scope.account,
        region=ctx.scope.region,
        role=role,
        created=ctx.clock.now(),
        status="Created",
    )
    if not await ctx.transact(_add, job):
        raise LimitExceededException(f"A user pool has at most {IMPORT_JOBS_MAX} import jobs.")
    return {"UserImportJob": _view(ctx, job)}


async def _add(tx: Transaction, scope: Scope, job: ImportJob) -> bool:
    held = await store.IMPORT_JOBS.scan(tx, scope, job.pool, limit=IMPORT_JOBS_MAX)
    if len(held) >= IMPORT_JOBS_MAX:
        ended = [one for one in held if one.ended]
        if not ended:
            return False
        oldest = min(ended, key=lambda one: one.created)
        await store.IMPORT_JOBS.drop(tx, scope, oldest.pool, oldest.id)
    await store.IMPORT_JOBS.save(tx, scope, job)
    return True


@operation("DescribeUserImportJob", resource=permissions.pool, conditions=permissions.keys)
async def describe_user_import_job(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Show a job, with how many users it has brought so far."""
    return {"UserImportJob": _view(ctx, await _loaded(ctx, request))}


async def _loaded(ctx: Context, request: Mapping[str, Any]) -> ImportJob:
    pool = await loaded(ctx, request["UserPoolId"])
    job = await ctx.transact(_load, pool.id, request["JobId"])
    if job is None:
        raise ResourceNotFoundException(f"User import job {request['JobId']} does not exist.")
    return job


async def _load(tx: Transaction, scope: Scope, pool: str, id: str) -> ImportJob | None:
    return await store.IMPORT_JOBS.load(tx, scope, pool, id)


@operation("ListUserImportJobs", resource=permissions.pool, conditions=permissions.keys)
async def list_user_import_jobs(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the jobs of a pool."""
    pool = await loaded(ctx, request["UserPoolId"])
    limit, after = request["MaxResults"], position(request.get("PaginationToken"))
    found = await ctx.transact(_page, pool.id, limit + 1, after)
    more = {}
    if len(found) > limit:
        more = {"PaginationToken": make_token([pool.id, found[limit - 1].id])}
    return {"UserImportJobs": [_view(ctx, job) for job in found[:limit]], **more}


async def _page(
    tx: Transaction, scope: Scope, pool: str, limit: int, after: tuple[Any, ...] | None
) -> list[ImportJob]:
    return await store.IMPORT_JOBS.scan(tx, scope, pool, limit=limit, after=after)


@operation("StartUserImportJob", resource=permissions.pool, conditions=permissions.keys)
async def start_user_import_job(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Begin to import the file; one job of an account at a time."""
    job = await _loaded(ctx, request)
    return {"UserImportJob": _view(ctx, await ctx.transact(_start, job, ctx.clock.now()))}


async def _start(tx: Transaction, scope: Scope, seen: ImportJob, now: float) -> ImportJob:
    job = await store.IMPORT_JOBS.load(tx, scope, seen.pool, seen.id)
    if job is None or _status(job, now) != "Created":
        status = seen.status if job is None else _status(job, now)
        raise PreconditionNotMetException(f"The job cannot be started: its status is {status}.")
    if not job.upload:
        raise PreconditionNotMetException("No file was uploaded to the job's PreSignedUrl.")
    if await store.IMPORT_JOBS.lookup(tx, scope, "active", job.account, limit=1):
        raise PreconditionNotMetException("Another import job of the account is active.")
    changed = msgspec.structs.replace(job, status="Pending", started=now)
    await store.IMPORT_JOBS.save(tx, scope, changed)
    return changed


@operation("StopUserImportJob", resource=permissions.pool, conditions=permissions.keys)
async def stop_user_import_job(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """End a job that is under way; users that it has brought stay."""
    job = await _loaded(ctx, request)
    return {"UserImportJob": _view(ctx, await ctx.transact(_stop, job))}


async def _stop(tx: Transaction, scope: Scope, seen: ImportJob) -> ImportJob:
    job = await store.IMPORT_JOBS.load(tx, scope, seen.pool, seen.id)
    if job is None or job.status not in ("Pending", "InProgress"):
        status = (job or seen).status
        raise PreconditionNotMetException(f"The job cannot be stopped: its status is {status}.")
    changed = msgspec.structs.replace(job, status="Stopping")
    await store.IMPORT_JOBS.save(tx, scope, changed)
    return changed


def _status(job: ImportJob, now: float) -> str:
    is_late = job.status == "Created" and now - job.created > IMPORT_START_SECONDS
    return "Expired" if is_late else job.status


def _view(ctx: Context, job: ImportJob) -> dict[str, Any]:
    sealer = ctx.need(Sealer)
    shown = {
        "JobName": job.name,
        "JobId": job.id,
        "UserPoolId": job.pool,
        "PreSignedUrl": address_of(ctx.endpoint, sealer, job),
        "CreationDate": job.created,
        "Status": _status(job, ctx.clock.now()),
        "CloudWatchLogsRoleArn": job.role,
        "ImportedUsers": job.imported,
        "SkippedUsers": job.skipped,
        "FailedUsers": job.failed,
    }
    for name, value in (
        ("StartDate", job.started),
        ("CompletionDate", job.ended),
        ("CompletionMessage", job.message),
    ):
        if value:
            shown[name] = value
    return shown
