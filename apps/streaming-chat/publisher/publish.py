"""The custom resource that puts the page into its bucket, and takes it away again.

The page reads `config.json`: where the APIs and the user pool are, at AWS's addresses. Where the
SDK is told another endpoint (`AWS_ENDPOINT_URL`), services have their names below it.
"""

import io
import json
import mimetypes
import os
import urllib.request
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import boto3

# The system's own table may call scripts by an older name.
TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".svg": "image/svg+xml",
}
PLACE_OF_ORIGINS = b"{{origins}}"

s3 = boto3.client("s3")


def handler(event, context):
    status, reason = "SUCCESS", ""
    try:
        if event["RequestType"] == "Delete":
            empty(event["ResourceProperties"]["Bucket"])
        else:
            publish(event["ResourceProperties"])
    except Exception as cause:
        print(f"{event['RequestType']} failed: {cause!r}")
        status, reason = "FAILED", f"the page could not be published: {cause}"
    respond(event, status, reason, event["ResourceProperties"]["Bucket"])


def publish(properties):
    config = configuration(properties)
    fetched = s3.get_object(Bucket=properties["SourceBucket"], Key=properties["SourceKey"])
    kept = {"config.json"}
    with zipfile.ZipFile(io.BytesIO(fetched["Body"].read())) as archive:
        for name in archive.namelist():
            if name.endswith("/"):
                continue
            content = archive.read(name)
            if name.endswith(".html"):
                content = content.replace(PLACE_OF_ORIGINS, origins(config).encode())
            put(properties["Bucket"], name, content)
            kept.add(name)
    put(properties["Bucket"], "config.json", json.dumps(config).encode())
    empty(properties["Bucket"], but=kept)


def put(bucket, name, content):
    ending = Path(name).suffix
    kind = TYPES.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    s3.put_object(Bucket=bucket, Key=name, Body=content, ContentType=kind, CacheControl="no-cache")


def empty(bucket, but=frozenset()):
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        gone = [{"Key": each["Key"]} for each in page.get("Contents", []) if each["Key"] not in but]
        if gone:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": gone, "Quiet": True})


def configuration(properties):
    """What the page must know: the pool, its client, and where everything is."""
    region = os.environ["AWS_REGION"]
    rest, socket = properties["RestApi"], properties["SocketApi"]
    return {
        "region": region,
        "userPoolId": properties["UserPool"],
        "clientId": properties["Client"],
        "users": address("cognito-idp", region) + "/",
        "api": f"{address(f'{rest}.execute-api', region)}/{properties['RestStage']}",
        "socket": address(f"{socket}.execute-api", region).replace("http", "ws", 1)
        + f"/{properties['SocketStage']}",
    }


def address(service, region):
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        return f"https://{service}.{region}.amazonaws.com"
    parts = urlsplit(endpoint)
    # An address has no names below it; this machine's own name has.
    host = "localhost" if parts.hostname in ("127.0.0.1", "::1") else parts.hostname
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{service}.{host}{port}"


def origins(config):
    """What the page may speak to, as its content security policy names it."""
    found = (urlsplit(config[name]) for name in ("users", "api", "socket"))
    return " ".join(f"{parts.scheme}://{parts.netloc}" for parts in found)


def respond(event, status, reason, physical_id):
    body = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": physical_id,
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    request = urllib.request.Request(
        event["ResponseURL"],
        json.dumps(body).encode(),
        # As a signed address wants it: no content type at all.
        {"Content-Type": ""},
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=20):
        pass
