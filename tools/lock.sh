#!/usr/bin/env bash
# Write requirements/run.lock (the product with its extras) and requirements/dev.lock (and the tools).
set -euo pipefail
cd "$(dirname "$0")/.."
export UV_CUSTOM_COMPILE_COMMAND="make lock"
common=(--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --quiet --no-annotate)
uv pip compile "${common[@]}" --extra sam pyproject.toml -o requirements/run.lock
uv pip compile "${common[@]}" --extra sam --group dev pyproject.toml -o requirements/dev.lock
