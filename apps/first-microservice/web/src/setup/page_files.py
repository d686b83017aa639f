"""The custom resource that publishes the page: its files, and where its API is.

That is AWS's address. Where the SDK is told another endpoint (`AWS_ENDPOINT_URL`), services have
their names below it.
"""

import json
import mimetypes
import os
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from reply import answering

FILES = Path(__file__).parent / "page"
TYPES = {".js": "text/javascript", ".svg": "image/svg+xml"}


def make(event):
    """The name of the bucket, when the page is in it, or when nothing is, as the event asks."""
    if event["RequestType"] == "Delete":
        empty(event["PhysicalResourceId"])
        return event["PhysicalResourceId"]
    properties = event["ResourceProperties"]
    service = f"{properties['Api']}.execute-api"
    publish(properties["Bucket"], f"{address(service)}/{properties['Stage']}")
    return properties["Bucket"]


def address(service):
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        return f"https://{service}.{os.environ['AWS_REGION']}.amazonaws.com"
    parts = urlsplit(endpoint)
    # An address has no names below it; this machine's own name has.
    host = "localhost" if parts.hostname in ("127.0.0.1", "::1") else parts.hostname
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{service}.{host}{port}"


def publish(bucket, api):
    put(bucket, "config.json", json.dumps({"api": api}).encode())
    for path in sorted(FILES.rglob("*")):
        if path.is_file():
            put(bucket, path.relative_to(FILES).as_posix(), path.read_bytes())


def put(bucket, key, body):
    suffix = Path(key).suffix
    kind = TYPES.get(suffix) or mimetypes.guess_type(key)[0] or "application/octet-stream"
    if kind.startswith("text/") or suffix in (".json", ".svg"):
        kind += "; charset=utf-8"
    # Browsers ask each time whether it is still the same, so that nobody keeps half of an old page.
    boto3.client("s3").put_object(
        Bucket=bucket, Key=key, Body=body, ContentType=kind, CacheControl="no-cache"
    )


def empty(bucket):
    s3 = boto3.client("s3")
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for found in page.get("Contents", []):
                s3.delete_object(Bucket=bucket, Key=found["Key"])
    except s3.exceptions.NoSuchBucket:
        print("the bucket is gone already")


handler = answering(make)
