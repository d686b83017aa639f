"""The AWS SDK for JavaScript, version 3."""

import json
import shutil
from pathlib import Path

SCRIPT = Path(__file__).parent / "javascript.mjs"


def test_identity_objects_and_errors(run, program):
    node = program("node")
    library = Path(program("JavaScript SDK"))
    # Node looks for packages beside the script: it runs from beside them.
    script = library.parent.parent.parent / "javascript.mjs"
    shutil.copy(SCRIPT, script)
    found = json.loads(run(node, script).stdout)
    assert found == {
        "arn": "arn:aws:iam::000000000000:root",
        "body": "hello",
        "refused": "ResourceNotFoundException",
    }
