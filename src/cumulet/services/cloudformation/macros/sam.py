"""The serverless transform: asks a short-lived process to expand the template."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

from cumulet.core.trace import span
from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.limits import SAM_OUTPUT_BYTES_MAX, SAM_SECONDS_MAX

SERVERLESS = "AWS::Serverless-2016-10-31"
_WORKER = "cumulet.services.cloudformation.macros.sam_worker"


class TransformFailed(ValidationError):
    """A macro refused the template; on the wire it is a ValidationError."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(f"Transform {name} failed with: {words}", code="ValidationError")


async def expand_serverless(
    template: Mapping[str, Any], parameters: Mapping[str, Any], region: str
) -> dict[str, Any]:
    """The template in plain CloudFormation. Raises TransformFailed with the translator's words.

    https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html
    """
    request = {"template": template, "parameters": parameters, "region": region}
    with span("cloudformation.sam"):
        answer = await _ask(json.dumps(request).encode())
    if "processed" not in answer:
        refuse(answer)
    processed: dict[str, Any] = answer["processed"]
    return processed


def refuse(answer: Mapping[str, Any]) -> NoReturn:
    """Raise TransformFailed for an answer that is no template."""
    if "missing" in answer:
        raise TransformFailed(
            SERVERLESS,
            "the translator is not installed on this cloud. Install it with: "
            f"pip install 'cumulet[sam]' ({answer['missing']})",
        )
    if "invalid" in answer:
        raise TransformFailed(SERVERLESS, answer["invalid"])
    raise TransformFailed(SERVERLESS, f"Internal transform failure. {answer.get('broken', '')}")


async def _ask(request: bytes) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-m",
        _WORKER,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "AWS_EC2_METADATA_DISABLED": "true"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SAM_SECONDS_MAX):
            with contextlib.suppress(ConnectionError):
                process.stdin.write(request)
                await process.stdin.drain()
                process.stdin.close()
            output = await _read(process.stdout)
            await process.wait()
    except TimeoutError:
        return {"broken": f"it took longer than {SAM_SECONDS_MAX:.0f} seconds"}
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    try:
        answer: dict[str, Any] = json.loads(output)
    except ValueError:
        return {"broken": f"the process ended with code {process.returncode}"}
    return answer


async def _read(stream: asyncio.StreamReader) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := await stream.read(65_536):
        size += len(part)
        if size > SAM_OUTPUT_BYTES_MAX:
            break
        parts.append(part)
    return b"".join(parts)
