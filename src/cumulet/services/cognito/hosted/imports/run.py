"""Import jobs under way: a hundred rows a step, whose users and progress are written together.

A job that is interrupted goes on with the first row that is not written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from cumulet.core.context import Context, Platform
from cumulet.core.errors import AwsError
from cumulet.core.identity import ANONYMOUS, Scope, service_principal
from cumulet.core.trace import log_cause
from cumulet.kit.ports import Credentials
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.errors import UsernameExistsException
from cumulet.services.cognito.flow import factors, people
from cumulet.services.cognito.flow.place import SERVICE, Place, as_cognito
from cumulet.services.cognito.hosted.imports.upload import drop_parts
from cumulet.services.cognito.limits import (
    IMPORT_LOOK_SECONDS,
    IMPORT_PART_BYTES,
    IMPORT_ROWS_AT_ONCE,
    IMPORT_START_SECONDS,
    IMPORT_USERS_MAX,
    SWEEP_ROWS,
)
from cumulet.services.cognito.model import MUST_RESET, Factors, Home, ImportJob, Pool, User
from cumulet.services.cognito.rules.import_file import BadFile, BadRow, read_header, read_row
from cumulet.services.cognito.rules.schema import check_values

_ROLE = (
    "The Amazon CloudWatch Logs role cannot be assumed, does not have the correct access policy, "
    "or has been deleted."
)
_DONE, _EXISTS = "The import succeeded.", "The user already exists."


@dataclass(frozen=True, slots=True)
class Draft:
    """A line of the file: a user to be added, or why there is none."""

    line: int
    user: User | None
    why: str = ""


async def run_imports(platform: Platform) -> float:
    """One step of every job that is under way; forgets the files of those that never began."""
    jobs = await platform.transact(_active, store.NOWHERE)
    for job in jobs:
        await _step(platform, job)
    if jobs:
        return 0.0
    for job in await platform.transact(_late, store.NOWHERE, platform.clock.now()):
        await _end(platform, job, "Expired", "")
    return IMPORT_LOOK_SECONDS


async def _active(tx: Transaction, scope: Scope) -> list[ImportJob]:
    return await store.IMPORT_JOBS.lookup(tx, scope, "active", limit=SWEEP_ROWS)


async def _late(tx: Transaction, scope: Scope, now: float) -> list[ImportJob]:
    before = (now - IMPORT_START_SECONDS,)
    return await store.IMPORT_JOBS.lookup_between(
        tx, scope, "waiting", (), before, limit=SWEEP_ROWS
    )


async def _step(platform: Platform, job: ImportJob) -> None:
    ctx = as_cognito(
        platform.context(Scope(job.account, job.region), ANONYMOUS),
        Home(job.pool, job.account, job.region, job.pool),
    )
    pool = await ctx.transact(store.load_pool, job.pool)
    if job.status == "Stopping":
        await _end(platform, job, "Stopped", "The Job was stopped by the developer.")
    elif pool is None:
        await _end(platform, job, "Failed", "The user pool has been deleted.")
    else:
        try:
            await _read_on(platform, Place(ctx, pool, is_admin=True), job)
        except (BadFile, UnicodeDecodeError) as cause:
            words = str(cause) if isinstance(cause, BadFile) else "The file is not UTF-8."
            await _end(platform, job, "Failed", words)
        except AwsError:
            # What the role may not do, or what became of it: see AWS's page on the results.
            await _end(platform, job, "Failed", _ROLE)
        except Exception as cause:
            # A mistake of ours in one job must not hold up those of others.
            log_cause("", "import failed", cause, pool=job.pool, job=job.id)
            await _end(platform, job, "Failed", "Internal error.")


async def _read_on(platform: Platform, place: Place, job: ImportJob) -> None:
    role = await _as_role(place.ctx, job.role)
    group = f"/aws/cognito/userpools/{job.pool}/{place.pool.name}"
    stream = f"{job.id}/{job.name}"
    if job.status == "Pending":
        await _open_log(role, group, stream)
    lines, offset = await _lines(platform, job)
    header, start = list(job.header), job.line
    if not header:
        if not lines or lines[0].startswith("\ufeff"):
            raise BadFile("The header in the CSV file does not match the expected headers.")
        header = read_header(lines[0], place.pool.schema)
        lines, start = lines[1:], start + 1
    drafts = [
        _draft(place, header, line, start + n + 1) for n, line in enumerate(lines) if line.strip()
    ]
    if job.imported + job.skipped + job.failed + len(drafts) > IMPORT_USERS_MAX:
        raise BadFile(f"The file has more than {IMPORT_USERS_MAX} users.")
    moved = msgspec.structs.replace(
        job, status="InProgress", header=tuple(header), line=start + len(lines), offset=offset
    )
    told = await place.ctx.transact(_write, place.pool.id, job, moved, drafts)
    if told:
        now = int(place.ctx.clock.now() * 1000)
        events = [{"timestamp": now, "message": text} for text in told]
        await role.call(
            "logs", "PutLogEvents", logGroupName=group, logStreamName=stream, logEvents=events
        )
    if offset >= job.size:
        await _end(platform, job, "Succeeded", "Import Job Completed Successfully.")


async def _as_role(ctx: Context, role: str) -> Context:
    """Acting as the job's role, which must let Cognito assume it. Raises AwsError."""
    answer = await ctx.acting_as(service_principal(SERVICE, ctx.scope.account)).call(
        "sts", "AssumeRole", RoleArn=role, RoleSessionName="cognito-import", DurationSeconds=900
    )
    keys = answer["Credentials"]
    found = await ctx.need(Credentials).find(keys["AccessKeyId"], keys["SessionToken"])
    assert found is not None
    return ctx.acting_as(found.principal, region=ctx.scope.region)


async def _open_log(role: Context, group: str, stream: str) -> None:
    for operation, words in (
        ("CreateLogGroup", {"logGroupName": group}),
        ("CreateLogStream", {"logGroupName": group, "logStreamName": stream}),
    ):
        try:
            await role.call("logs", operation, **words)
        except AwsError as error:
            if error.code != "ResourceAlreadyExistsException":
                raise


async def _lines(platform: Platform, job: ImportJob) -> tuple[list[str], int]:
    """The next whole lines, at most so many, and the offset after them."""
    raw = await platform.transact(_bytes, store.NOWHERE, job)
    is_last = job.offset + len(raw) >= job.size
    pieces = raw.split(b"\n")
    whole = pieces[:-1] if not is_last or not pieces[-1] else pieces
    whole = whole[:IMPORT_ROWS_AT_ONCE]
    if not whole and raw:
        raise BadFile("A line of the file is too long.")
    after = job.offset + sum(len(piece) + 1 for piece in whole)
    return [piece.decode().removesuffix("\r") for piece in whole], min(after, job.size)


async def _bytes(tx: Transaction, scope: Scope, job: ImportJob) -> bytes:
    """The file from the job's offset on: the part in which it is, and the next."""
    first, skip = divmod(job.offset, IMPORT_PART_BYTES)
    found = b""
    for number in (first, first + 1):
        at = (job.pool, job.id, job.upload, number)
        part = await store.IMPORT_PARTS.load(tx, scope, *at)
        found += part.data if part is not None else b""
    return found[skip:]


def _draft(place: Place, header: Sequence[str], line: str, number: int) -> Draft:
    try:
        verified = place.pool.settings.get("AutoVerifiedAttributes", ())
        row = read_row(line, header, verified)
        user = people.drafted(place, row.name, row.attributes, MUST_RESET)
        check_values(place.pool.schema, user.attributes, is_new=True)
    except BadRow as bad:
        return Draft(number, None, str(bad))
    except AwsError as error:
        return Draft(number, None, " ".join(error.message.split()))
    if row.has_mfa:
        user = msgspec.structs.replace(user, factors=Factors(enabled=(factors.SMS,)))
    return Draft(number, user)


async def _write(
    tx: Transaction,
    scope: Scope,
    pool_id: str,
    seen: ImportJob,
    moved: ImportJob,
    drafts: Sequence[Draft],
) -> list[str]:
    """Add the users and move the job on; what the log is told. Nothing when it was stopped."""
    job = await store.IMPORT_JOBS.load(tx, scope, seen.pool, seen.id)
    pool: Pool | None = await store.POOLS.load(tx, scope, pool_id)
    if job is None or pool is None or job.status != seen.status or job.offset != seen.offset:
        return []
    told: list[str] = []
    imported = skipped = 0
    for draft in drafts:
        outcome, why = "FAILED", draft.why
        if draft.user is not None:
            try:
                await people.add(tx, scope, pool, draft.user)
                outcome, why, imported = "SUCCEEDED", _DONE, imported + 1
            except UsernameExistsException:
                outcome, why, skipped = "SKIPPED", _EXISTS, skipped + 1
            except AwsError as error:
                why = error.message
        told.append(f"[{outcome}] Line Number {draft.line} - {why}")
    changed = msgspec.structs.replace(
        moved,
        imported=job.imported + imported,
        skipped=job.skipped + skipped,
        failed=job.failed + len(drafts) - imported - skipped,
    )
    await store.IMPORT_JOBS.save(tx, scope, changed)
    return told


async def _end(platform: Platform, job: ImportJob, status: str, message: str) -> None:
    now = platform.clock.now()
    if await platform.transact(close_job, store.NOWHERE, job, status, message, now):
        await drop_parts(platform, (job.pool, job.id))


async def close_job(
    tx: Transaction, scope: Scope, seen: ImportJob, status: str, message: str, now: float
) -> bool:
    """End a job; False when it was told to stop meanwhile, which its next step will see to."""
    job = await store.IMPORT_JOBS.load(tx, scope, seen.pool, seen.id)
    if job is None:
        return True
    if job.status == "Stopping" and seen.status != "Stopping":
        return False
    ended = msgspec.structs.replace(job, status=status, message=message, ended=now)
    await store.IMPORT_JOBS.save(tx, scope, ended)
    return True
