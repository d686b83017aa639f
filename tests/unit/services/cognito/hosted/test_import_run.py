"""How a job that imports users ends."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from cumulet.kv.memory import MemoryStore
from cumulet.services.cognito import store
from cumulet.services.cognito.hosted.imports.run import close_job
from cumulet.services.cognito.model import ImportJob

JOB = ImportJob("p", "import-1", "j", "000000000000", "us-east-1", "r", 1.0, "InProgress")


@pytest.mark.parametrize(
    ("status", "seen", "wanted"),
    [
        ("InProgress", "InProgress", "Succeeded"),
        ("Stopping", "InProgress", "Stopping"),
        ("Stopping", "Stopping", "Succeeded"),
    ],
)
def test_a_job_that_was_told_to_stop_meanwhile_has_not_succeeded(
    status: str, seen: str, wanted: str
):
    async def story() -> str:
        kv = MemoryStore()
        there = msgspec.structs.replace(JOB, status=status)
        before = msgspec.structs.replace(JOB, status=seen)
        await kv.transact(lambda tx: store.IMPORT_JOBS.save(tx, store.NOWHERE, there))
        done = await kv.transact(
            lambda tx: close_job(tx, store.NOWHERE, before, "Succeeded", "Done.", 2.0)
        )
        job = await kv.transact(
            lambda tx: store.IMPORT_JOBS.load(tx, store.NOWHERE, JOB.pool, JOB.id)
        )
        assert job is not None
        assert done is (wanted == "Succeeded")
        return str(job.status)

    assert asyncio.run(story()) == wanted
