"""The floors: contracts of imports, and the few places that read the environment."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

from tests.house.tree import ROOT, SOURCE

# The environment is configuration, and is read where configuration is. Code that runs inside a
# function's process reads the environment that was made for it.
MAY_READ_ENVIRONMENT = (
    "app/config.py",
    "cli/",
    "sandbox/child/",
    "services/cloudformation/macros/sam_worker.py",
)


def test_every_contract_of_imports_is_kept() -> None:
    program = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert program is not None, "import-linter is a development dependency"
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_environment_is_read_only_where_configuration_is() -> None:
    readers = set()
    for path in SOURCE.rglob("*.py"):
        name = path.relative_to(SOURCE).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            is_os = (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "os"
                and node.attr in ("environ", "getenv", "putenv", "environb")
            )
            if is_os and not name.startswith(MAY_READ_ENVIRONMENT):
                readers.add(name)
    assert not readers
