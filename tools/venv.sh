#!/usr/bin/env bash
# Make the virtual environment $1 with the locked dependencies, with Python and pip alone:
# Debian splits `venv` from Python, so `virtualenv` is fetched where it is missing.
set -euo pipefail
venv=$1
python=${PYTHON:-python3}
if [ ! -x "$venv/bin/python" ]; then
  if ! "$python" -m venv "$venv" 2>/dev/null; then
    rm -rf "$venv"
    "$python" -m pip install --quiet --target .bootstrap virtualenv
    PYTHONPATH=.bootstrap "$python" -m virtualenv --quiet "$venv"
  fi
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
