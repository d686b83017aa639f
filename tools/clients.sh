#!/usr/bin/env bash
# Install the client programs that tests drive, into .cache/clients. What cannot be had here is left
# out, and the tests that need it say so when they are skipped.
set -uo pipefail
cd "$(dirname "$0")/.."
target=.cache/clients
mkdir -p "$target"

if [ ! -x "$target/python/bin/sam" ] || [ ! -x "$target/python/bin/aws" ]; then
  ${PYTHON:-.venv/bin/python} -m venv "$target/python" &&
    "$target/python/bin/python" -m pip install --quiet --disable-pip-version-check \
      aws-sam-cli==1.170.0 awscli setuptools || echo "the SAM and AWS CLIs are left out"
fi

if [ ! -d "$(echo "$target"/python/lib/python3*/site-packages/pycognito)" ] && [ -x "$target/python/bin/python" ]; then
  "$target/python/bin/python" -m pip install --quiet --disable-pip-version-check pycognito==2024.5.1 ||
    echo "pycognito is left out"
fi

if command -v npm >/dev/null; then
  if [ ! -x "$target/node/node_modules/.bin/cdk" ]; then
    mkdir -p "$target/node"
    # The tag `latest` of aws-cdk is an old build that cannot read what current libraries write.
    (cd "$target/node" && echo '{"private": true}' >package.json &&
      npm install --no-audit --no-fund --silent aws-cdk@2.1148.1 \
        @aws-sdk/client-s3@3 @aws-sdk/client-lambda@3 @aws-sdk/client-sts@3) ||
      echo "the CDK and the JavaScript SDK are left out"
  fi
  if [ ! -d "$target/node/node_modules/aws-amplify" ] && [ -d "$target/node" ]; then
    # What web applications sign in with, and what puts it into one file for a browser.
    (cd "$target/node" && npm install --no-audit --no-fund --silent \
      amazon-cognito-identity-js@6.3.21 aws-amplify@6.22.1 esbuild@0.28.2 \
      @aws-sdk/client-cognito-identity-provider@3) ||
      echo "the libraries for signing in are left out"
  fi
  if [ ! -d "$target/cdk" ]; then
    ${PYTHON:-.venv/bin/python} -m venv "$target/cdk" &&
      "$target/cdk/bin/python" -m pip install --quiet --disable-pip-version-check \
        aws-cdk-lib==2.275.0 constructs || { rm -rf "$target/cdk"; echo "the CDK library is left out"; }
  fi
else
  echo "there is no npm: the CDK and the JavaScript SDK are left out"
fi
# Browser tests drive Debian's own Chromium; only root may install it.
if ! command -v chromium >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium fonts-dejavu-core; } \
      >/dev/null 2>&1 || echo "the browser is left out"
  else
    echo "there is no chromium: the browser is left out"
  fi
fi
# The wheels that applications are built with, so that their tests need no network.
fetch_wheels() { # requirements, folder
  [ -d "$target/$2" ] || ${PYTHON:-.venv/bin/python} -m pip download --quiet --disable-pip-version-check \
    --dest "$target/$2" --requirement "$1" setuptools wheel ||
    { rm -rf "$target/$2"; echo "the wheels for $1 are left out"; }
}
fetch_wheels apps/voice-quality/layer/requirements.txt wheels
fetch_wheels apps/media-upload/src/api/requirements.txt media-wheels
fetch_wheels tests/services/xray/requirements.txt xray-wheels
exit 0
