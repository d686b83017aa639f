"""Run as `python -m …sam_worker`: expands one serverless template, JSON in and JSON out.

A process of its own, since the translator takes seconds and much memory to import, and since it
works on text from outside.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import Any

from cumulet.services.cloudformation.limits import SAM_MEMORY_BYTES_MAX


def expanded(request: dict[str, Any]) -> dict[str, Any]:
    """The answer to one request: `processed`, or why not in `missing` or `invalid`."""
    os.environ["AWS_DEFAULT_REGION"] = request["region"]
    try:
        import boto3
        from samtranslator.internal.managed_policies import get_bundled_managed_policy_map
        from samtranslator.model.exceptions import InvalidDocumentException
        from samtranslator.parser.parser import Parser
        from samtranslator.translator.translator import Translator
    except ImportError as cause:
        return {"missing": str(cause)}
    session = boto3.session.Session(region_name=request["region"])
    translator = Translator(None, Parser(), boto_session=session)
    try:
        processed = translator.translate(
            request["template"],
            parameter_values=request["parameters"],
            get_managed_policy_map=lambda: get_bundled_managed_policy_map("aws") or {},
        )
    except InvalidDocumentException as cause:
        words = [cause.message, *sorted(str(one.message) for one in cause.causes)]
        return {"invalid": " ".join(words)}
    return {"processed": processed}


def main() -> None:
    """Answer one request from standard input on standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (SAM_MEMORY_BYTES_MAX, SAM_MEMORY_BYTES_MAX))
    out = sys.stdout
    sys.stdout = sys.stderr
    try:
        answer = expanded(json.load(sys.stdin))
    except Exception as cause:
        answer = {"broken": f"{type(cause).__name__}: {cause}"}
    json.dump(answer, out)
    out.flush()


if __name__ == "__main__":
    main()
