"""The address to which a file of users is put: signed, for a quarter of an hour, for one job."""

from __future__ import annotations

import msgspec
import orjson

from cumulet.core.clock import new_hex
from cumulet.core.context import Platform
from cumulet.core.http import Request, Response
from cumulet.core.identity import Scope
from cumulet.kit.ports import Sealer
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.limits import (
    IMPORT_FILE_BYTES_MAX,
    IMPORT_PART_BYTES,
    IMPORT_URL_SECONDS,
)
from cumulet.services.cognito.model import ImportJob, ImportPart
from cumulet.services.cognito.signing.keys import decode_segment, encode_segment

PATH = "/_cognito-import/"
_PURPOSE = "cognito-import"


def address_of(endpoint: str, sealer: Sealer, job: ImportJob) -> str:
    """Where the file of a job is put; good for a quarter of an hour after the job was made."""
    plain = {"pool": job.pool, "job": job.id, "until": job.created + IMPORT_URL_SECONDS}
    return f"{endpoint}{PATH}{encode_segment(sealer.seal(orjson.dumps(plain), _PURPOSE))}"


class Uploads:
    """Takes `PUT` of files."""

    name = "cognito-import"

    def match(self, request: Request) -> bool:
        """By path."""
        return request.path.startswith(PATH)

    async def serve(self, platform: Platform, request: Request) -> Response:
        """Keep the file as it arrives; a later one replaces it until the job is started."""
        if request.method != "PUT":
            return _said(405, "MethodNotAllowed", "The file is sent with PUT.")
        sealer = platform.need(Sealer)
        try:
            text = request.path.removeprefix(PATH)
            told = orjson.loads(sealer.unseal(decode_segment(text), _PURPOSE))
        except (ValueError, UnicodeError):
            return _said(403, "AccessDenied", "Access Denied")
        if told["until"] <= platform.clock.now():
            return _said(403, "AccessDenied", "Request has expired")
        size = request.body.size_bytes
        if size is not None and size > IMPORT_FILE_BYTES_MAX:
            return _said(400, "EntityTooLarge", "Your proposed upload exceeds the maximum size.")
        upload = new_hex(platform.clock, 16)
        at = (told["pool"], told["job"], upload)
        found = await _keep(platform, request, at)
        if found > IMPORT_FILE_BYTES_MAX:
            await drop_parts(platform, at)
            return _said(400, "EntityTooLarge", "Your proposed upload exceeds the maximum size.")
        before = await platform.transact(_take, store.NOWHERE, at, found)
        if before is None:
            await drop_parts(platform, at)
            return _said(403, "AccessDenied", "The job does not wait for a file.")
        if before:
            await drop_parts(platform, (*at[:2], before))
        return Response(200)


async def _keep(platform: Platform, request: Request, at: tuple[str, str, str]) -> int:
    """Write the body in parts; stops beyond the limit. How many bytes came."""
    pending, number, total = bytearray(), 0, 0
    async for piece in request.body:
        pending += piece
        total += len(piece)
        if total > IMPORT_FILE_BYTES_MAX:
            return total
        while len(pending) >= IMPORT_PART_BYTES:
            part = ImportPart(*at, number, bytes(pending[:IMPORT_PART_BYTES]))
            await platform.transact(_save_part, store.NOWHERE, part)
            del pending[:IMPORT_PART_BYTES]
            number += 1
    await platform.transact(_save_part, store.NOWHERE, ImportPart(*at, number, bytes(pending)))
    return total


async def _save_part(tx: Transaction, scope: Scope, part: ImportPart) -> None:
    await store.IMPORT_PARTS.save(tx, scope, part)


async def _take(tx: Transaction, scope: Scope, at: tuple[str, str, str], size: int) -> str | None:
    """Tell the job of its file; the upload that this one replaces, None when it wants none."""
    job = await store.IMPORT_JOBS.load(tx, scope, *at[:2])
    if job is None or job.status != "Created":
        return None
    changed = msgspec.structs.replace(job, upload=at[2], size=size)
    await store.IMPORT_JOBS.save(tx, scope, changed)
    return job.upload


async def drop_parts(platform: Platform, at: tuple[str, ...]) -> None:
    """Forget a file, or all of a job's."""
    while await platform.transact(_drop_some, store.NOWHERE, at):
        pass


async def _drop_some(tx: Transaction, scope: Scope, at: tuple[str, ...]) -> bool:
    rows = await store.IMPORT_PARTS.scan(tx, scope, *at, limit=store.PARTS_AT_ONCE)
    for row in rows:
        await store.IMPORT_PARTS.drop(tx, scope, *store.IMPORT_PARTS.key_of(row))
    return bool(rows)


def _said(status: int, code: str, message: str) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code>'
    body = f"{text}<Message>{message}</Message></Error>".encode()
    return Response(status, [("content-type", "application/xml")], body)
