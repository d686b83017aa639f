"""Files: their records, and the addresses by which browsers reach S3 themselves.

An address is signed for one key, one method and one length; nothing else can be done with it.
"""

import secrets
import time
from datetime import UTC, datetime
from urllib.parse import quote

import boto3
import settings
from boto3.dynamodb.conditions import Attr, Key
from botocore.config import Config
from botocore.exceptions import ClientError

# The style `virtual` makes addresses name the bucket's region, which no redirect has to mend.
s3 = boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))
table = boto3.resource("dynamodb").Table(settings.FILES)
QUERIES_MAX = 10


class NoSuchFile(Exception):
    """This user has no such file, or not in the state that is asked for."""


class PartsMissing(Exception):
    """S3 does not have all parts as they were named."""


def place(owner, file_id):
    return {"Bucket": settings.MEDIA, "Key": f"files/{owner}/{file_id}"}


def part_size(size):
    """How many bytes each part of a file has, but the last."""
    least = -(-size // settings.PARTS_MAX)
    return max(settings.PART_BYTES_MIN, -(-least // settings.MIB) * settings.MIB)


def part_count(record):
    return -(-int(record["size"]) // int(record["part_size"]))


def begin(owner, name, kind, size, **more):
    """Write the record of a file that is on its way; ids grow with time."""
    now = time.time()
    return {
        "owner": owner,
        "id": f"{int(now * 1000):012x}{secrets.token_hex(8)}",
        "name": name,
        "type": kind,
        "size": size,
        "state": "uploading",
        "created": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"),
        # A day longer than S3 keeps the parts.
        "expires": int(now) + settings.UNFINISHED_SECONDS + 86_400,
        **more,
    }


def begin_put(owner, name, kind, size):
    """A record, and the address for the one `PUT` that brings the file."""
    record = begin(owner, name, kind, size)
    table.put_item(Item=record)
    there = {**place(owner, record["id"]), "ContentType": kind, "ContentLength": size}
    return record, signed("put_object", there)


def begin_multipart(owner, name, kind, size):
    """A record of a file that comes in parts."""
    record = begin(owner, name, kind, size, part_size=part_size(size))
    made = s3.create_multipart_upload(**place(owner, record["id"]), ContentType=kind)
    record["upload"] = made["UploadId"]
    table.put_item(Item=record)
    return record


def signed(operation, members):
    return s3.generate_presigned_url(operation, Params=members, ExpiresIn=settings.URL_SECONDS)


def load(owner, file_id):
    """The record of this user's file. Raises NoSuchFile."""
    found = table.get_item(Key={"owner": owner, "id": file_id}, ConsistentRead=True).get("Item")
    if found is None:
        raise NoSuchFile(file_id)
    return found


def load_upload(owner, file_id):
    """The record of an upload in parts that goes on. Raises NoSuchFile."""
    found = load(owner, file_id)
    if "upload" not in found:
        raise NoSuchFile(file_id)
    return found


def part_urls(record, numbers):
    """Address by number; each is good for exactly the bytes of its part."""
    size, each = int(record["size"]), int(record["part_size"])
    there = {**place(record["owner"], record["id"]), "UploadId": record["upload"]}
    return {
        number: signed(
            "upload_part",
            {
                **there,
                "PartNumber": number,
                "ContentLength": min(each, size - (number - 1) * each),
            },
        )
        for number in numbers
    }


def parts_there(record):
    """The parts that S3 has. Raises NoSuchFile when the upload was given up or completed."""
    there = {**place(record["owner"], record["id"]), "UploadId": record["upload"]}
    found = []
    try:
        for page in s3.get_paginator("list_parts").paginate(**there):
            found += [
                {"number": part["PartNumber"], "size": part["Size"], "etag": part["ETag"]}
                for part in page.get("Parts", [])
            ]
    except s3.exceptions.NoSuchUpload:
        raise NoSuchFile(record["id"]) from None
    return found


def complete(record, etags):
    """Put the parts together. Raises PartsMissing, NoSuchFile; may be asked for again."""
    there = place(record["owner"], record["id"])
    parts = [{"PartNumber": number, "ETag": etag} for number, etag in sorted(etags.items())]
    if sorted(etags) != list(range(1, part_count(record) + 1)):
        raise PartsMissing("every part must be named, once")
    try:
        s3.complete_multipart_upload(
            **there, UploadId=record["upload"], MultipartUpload={"Parts": parts}
        )
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("InvalidPart", "EntityTooSmall", "InvalidPartOrder"):
            raise PartsMissing(error.response["Error"]["Message"]) from None
        # The answer to an earlier request may have been lost on its way.
        if code != "NoSuchUpload" or not is_stored(record):
            raise NoSuchFile(record["id"]) from error


def is_stored(record):
    try:
        found = s3.head_object(**place(record["owner"], record["id"]))
    except ClientError:
        return False
    return found["ContentLength"] == int(record["size"])


def abort(record):
    """Give an upload up; its parts are removed."""
    there = place(record["owner"], record["id"])
    try:
        s3.abort_multipart_upload(**there, UploadId=record["upload"])
    except s3.exceptions.NoSuchUpload:
        print(f"{record['id']} was given up already")
    table.delete_item(Key={"owner": record["owner"], "id": record["id"]})


def listed(owner, after, count):
    """Finished files, the newest first, and the id to go on after, or None."""
    query = {
        "KeyConditionExpression": Key("owner").eq(owner),
        "FilterExpression": Attr("state").eq("finished"),
        "ScanIndexForward": False,
        "Limit": count,
    }
    if after:
        query["ExclusiveStartKey"] = {"owner": owner, "id": after}
    found = []
    for _ in range(QUERIES_MAX):
        page = table.query(**query)
        found += page["Items"]
        last = page.get("LastEvaluatedKey")
        if last is None or len(found) >= count:
            break
        query["ExclusiveStartKey"] = last
    if len(found) > count:
        return found[:count], found[count - 1]["id"]
    return found, last["id"] if last else None


def download_url(record):
    """An address that saves the file under its own name, whatever is in it."""
    name = quote(record["name"], safe="")
    there = place(record["owner"], record["id"])
    shown = f"attachment; filename*=UTF-8''{name}"
    return signed("get_object", {**there, "ResponseContentDisposition": shown})


def delete(record):
    """Remove a finished file. Raises NoSuchFile while it is on its way."""
    if record["state"] != "finished":
        raise NoSuchFile(record["id"])
    s3.delete_object(**place(record["owner"], record["id"]))
    table.delete_item(Key={"owner": record["owner"], "id": record["id"]})
