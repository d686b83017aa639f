"""The files of the project, as tests about the house itself read them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SOURCE = ROOT / "src" / "cumulet"
PYTHON_FOLDERS = ("src", "tests", "tools", "bench", "apps")


@cache
def project_files() -> tuple[Path, ...]:
    """Every file that is, or would be, in the repository; all files where git is not there."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        done = subprocess.run(words, cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        found = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()]
        kept = [one for one in found if not any(part.startswith(".") for part in one.parts)]
        return tuple(path for path in kept if "__pycache__" not in path.parts)
    names = sorted(name for name in done.stdout.decode().split("\0") if name)
    return tuple(Path(name) for name in names if (ROOT / name).is_file())


def python_files() -> Iterator[Path]:
    """The Python files that people write."""
    for path in project_files():
        if path.suffix == ".py" and path.parts[0] in PYTHON_FOLDERS and path.name != "shapes.py":
            yield path


@cache
def text_of(path: Path) -> str:
    return (ROOT / path).read_text()


@cache
def syntax_of(path: Path) -> ast.Module:
    return ast.parse(text_of(path))
