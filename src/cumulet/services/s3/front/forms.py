"""Uploads by the forms of web pages, permitted by a signed policy document.

Follows https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from cumulet.core import trace as tracing
from cumulet.core.context import Platform
from cumulet.core.errors import AwsError
from cumulet.core.http import BytesBody, Request, Response
from cumulet.core.identity import ANONYMOUS, Principal, Scope
from cumulet.services.s3.errors import InvalidArgument, malformed_xml
from cumulet.services.s3.front.documents import error_document, told_error
from cumulet.services.s3.front.form_policy import check_policy, form_principal
from cumulet.services.s3.front.multipart_form import FormFile, read_form
from cumulet.services.s3.limits import INLINE_BYTES_MAX
from cumulet.services.s3.rules.cors import rule_for
from cumulet.services.s3.store.known import Buckets, Known

_MEMBERS = {
    "acl": "ACL",
    "cache-control": "CacheControl",
    "content-disposition": "ContentDisposition",
    "content-encoding": "ContentEncoding",
    "content-type": "ContentType",
    "expires": "Expires",
    "x-amz-storage-class": "StorageClass",
    "x-amz-website-redirect-location": "WebsiteRedirectLocation",
    "x-amz-server-side-encryption": "ServerSideEncryption",
    "x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
    "x-amz-server-side-encryption-customer-algorithm": "SSECustomerAlgorithm",
    "x-amz-server-side-encryption-customer-key": "SSECustomerKey",
    "x-amz-server-side-encryption-customer-key-md5": "SSECustomerKeyMD5",
    "x-amz-checksum-algorithm": "ChecksumAlgorithm",
    "x-amz-checksum-crc32": "ChecksumCRC32",
    "x-amz-checksum-crc32c": "ChecksumCRC32C",
    "x-amz-checksum-crc64nvme": "ChecksumCRC64NVME",
    "x-amz-checksum-sha1": "ChecksumSHA1",
    "x-amz-checksum-sha256": "ChecksumSHA256",
}
_META = "x-amz-meta-"


async def take_form(platform: Platform, request: Request, bucket: str) -> Response:
    """Store the file of a form, if its policy and the bucket allow it."""
    trace = tracing.current.get()
    request_id = trace.request_id if trace is not None else ""
    known = await platform.need(Buckets).get(bucket)
    try:
        assert known is not None
        response = await _take(platform, request, known, request_id)
    except AwsError as error:
        response = error_document(*told_error(error, request_id), request_id)
    origin = request.headers.get("origin")
    rule = rule_for(known.cors, origin, "POST") if origin and known is not None else None
    if rule is not None:
        response.headers += rule.answer(origin)
    return response


async def _take(platform: Platform, request: Request, known: Known, request_id: str) -> Response:
    fields, filename, file = await read_form(request.body, request.headers.get("content-type"))
    if not fields.get("key"):
        raise InvalidArgument(
            "Bucket POST must contain a field named 'key'.  If it is specified, please check the "
            "order of the fields.",
            ArgumentName="key",
            ArgumentValue="",
        )
    fields["bucket"] = known.bucket.name
    name = filename.replace("\\", "/").rpartition("/")[2]
    fields["key"] = fields["key"].replace("${filename}", name)
    principal, limits = ANONYMOUS, None
    if "policy" in fields or "x-amz-signature" in fields or "signature" in fields:
        principal = await form_principal(platform, fields)
        limits = check_policy(fields, platform.clock.now())
    body: Any = file if limits is None else _Limited(file, *limits)
    length = request.body.size_bytes
    if length is not None and length <= INLINE_BYTES_MAX:
        body = BytesBody(await body.read(INLINE_BYTES_MAX))
    made = await _put(platform, request, known, principal, fields, body, request_id)
    return _answer(platform, request, known.bucket.name, fields, made)


class _Limited(FormFile):
    """A file whose size a policy bounds. Raises EntityTooLarge and EntityTooSmall."""

    def __init__(self, file: FormFile, size_min: int, size_max: int) -> None:
        self._file = file
        self._min = size_min
        self._max = size_max

    async def __aiter__(self) -> Any:
        size = 0
        async for piece in self._file:
            size += len(piece)
            if size > self._max:
                raise InvalidArgument(
                    "Your proposed upload exceeds the maximum allowed size",
                    code="EntityTooLarge",
                    MaxSizeAllowed=self._max,
                )
            yield piece
        if size < self._min:
            raise InvalidArgument(
                "Your proposed upload is smaller than the minimum allowed size",
                code="EntityTooSmall",
                MinSizeAllowed=self._min,
                ProposedSize=size,
            )


async def _put(
    platform: Platform,
    request: Request,
    known: Known,
    principal: Principal,
    fields: dict[str, str],
    body: Any,
    request_id: str,
) -> dict[str, Any]:
    members: dict[str, Any] = {"Bucket": known.bucket.name, "Key": fields["key"], "Body": body}
    members |= {member: fields[field] for field, member in _MEMBERS.items() if fields.get(field)}
    metadata = {
        name[len(_META) :]: value for name, value in fields.items() if name.startswith(_META)
    }
    if metadata:
        members["Metadata"] = metadata
    if fields.get("tagging"):
        members["Tagging"] = urlencode(read_tagging(fields["tagging"]))
    scope = Scope(principal.account, known.bucket.region)
    ctx = platform.context(scope, principal, request=request, request_id=request_id)
    made: dict[str, Any] = await ctx.call("s3", "PutObject", **members)
    return made


def read_tagging(text: str) -> list[tuple[str, str]]:
    """The tags of a form's `tagging` field, which is an XML document. Raises MalformedXML."""
    if "<!" in text:
        raise malformed_xml()  # No document type, so that no entity is ever expanded.
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        raise malformed_xml() from None
    found = []
    for tag in root.iter():
        if tag.tag.rpartition("}")[2] == "Tag":
            parts = {one.tag.rpartition("}")[2]: one.text or "" for one in tag}
            if set(parts) != {"Key", "Value"}:
                raise malformed_xml()
            found.append((parts["Key"], parts["Value"]))
    return found


def _answer(
    platform: Platform, request: Request, bucket: str, fields: dict[str, str], made: dict[str, Any]
) -> Response:
    key = quote(fields["key"], safe="/-_.~")
    location = f"{platform.endpoint}/{bucket}/{key}"
    headers = [("etag", made["ETag"]), ("location", location)]
    if made.get("VersionId"):
        headers.append(("x-amz-version-id", made["VersionId"]))
    target = fields.get("success_action_redirect") or fields.get("redirect")
    if target and urlsplit(target).scheme in ("http", "https"):
        told = urlencode({"bucket": bucket, "key": fields["key"], "etag": made["ETag"]})
        separator = "&" if "?" in target else "?"
        headers[1] = ("location", f"{target}{separator}{told}")
        return Response(303, headers)
    status = fields.get("success_action_status")
    if status == "201":
        text = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>'
            f"<Location>{escape(location)}</Location><Bucket>{escape(bucket)}</Bucket>"
            f"<Key>{escape(fields['key'])}</Key><ETag>{escape(made['ETag'])}</ETag></PostResponse>"
        )
        return Response(201, [*headers, ("content-type", "application/xml")], text.encode())
    return Response(200 if status == "200" else 204, headers)
