"""The errors of S3, under the codes that its documentation lists.

Follows https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

from cumulet.core.errors import AwsError
from cumulet.services.s3.model import Bucket


class BadDigest(AwsError):
    """The body does not have the digest that was sent with it."""

    status = 400


class BucketAlreadyExists(AwsError):
    """Another account has a bucket of this name."""

    status = 409


class BucketAlreadyOwnedByYou(AwsError):
    """The caller's account has this bucket."""

    status = 409


class BucketNotEmpty(AwsError):
    """A bucket with objects, versions or markers cannot be deleted."""

    status = 409


class EntityTooLarge(AwsError):
    """The upload is larger than S3 takes."""

    status = 400


class EntityTooSmall(AwsError):
    """A part that is not the last has less than 5 MiB."""

    status = 400


class IncompleteBody(AwsError):
    """Fewer bytes came than were announced."""

    status = 400


class InvalidArgument(AwsError):
    """An argument has a value that is not allowed."""

    status = 400


class InvalidBucketName(AwsError):
    """The name breaks the rules for bucket names."""

    status = 400


class InvalidDigest(AwsError):
    """The digest header is not a digest."""

    status = 400


class InvalidPart(AwsError):
    """A part of the list was not uploaded, or has another entity tag."""

    status = 400


class InvalidPartOrder(AwsError):
    """The list of parts is not in ascending order."""

    status = 400


class InvalidRange(AwsError):
    """The range begins behind the object's end."""

    status = 416


class InvalidRequest(AwsError):
    """The request contradicts itself or the state of what it names."""

    status = 400


class InvalidTag(AwsError):
    """A tag is too long, doubled, or one too many."""

    status = 400


class KeyTooLongError(AwsError):
    """A key has more than 1,024 bytes."""

    status = 400


class MalformedPolicy(AwsError):
    """The bucket policy is not a valid policy document."""

    status = 400


class MalformedPostRequest(AwsError):
    """The body of a form is not what its header says."""

    status = 400


class MalformedXML(AwsError):
    """The body is not what the operation's schema asks for."""

    status = 400


class MetadataTooLarge(AwsError):
    """User metadata of more than 2 KB."""

    status = 400


class MethodNotAllowed(AwsError):
    """A delete marker cannot be read by its version."""

    status = 405


class NoSuchBucket(AwsError):
    """The bucket does not exist."""

    status = 404


class NoSuchKey(AwsError):
    """The key does not exist."""

    status = 404


class NoSuchUpload(AwsError):
    """The multipart upload does not exist, or was completed or aborted."""

    status = 404


class NoSuchVersion(AwsError):
    """The version does not exist."""

    status = 404


class NotFound(AwsError):
    """What HEAD answers, without a body, for anything that is missing."""

    status = 404


class NotImplementedHere(AwsError):
    """A header or setting that Cumulet does not support yet: S3's `NotImplemented`."""

    status = 501

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not supported by Cumulet yet.", code="NotImplemented")


class NotModified(AwsError):
    """The copy that the client has is current."""

    status = 304


class PermanentRedirect(AwsError):
    """The bucket is in another region than the request."""

    status = 301


class PreconditionFailed(AwsError):
    """A condition of the request did not hold."""

    status = 412


class MissingContentLength(AwsError):
    """A body must say how long it is before it comes."""

    status = 411


class MissingConfiguration(AwsError):
    """A configuration that the bucket does not have, under the code of its kind."""

    status = 404


def no_bucket(name: str) -> NoSuchBucket:
    """In AWS's words."""
    return NoSuchBucket("The specified bucket does not exist", BucketName=name)


def other_region(bucket: Bucket, endpoint: str) -> PermanentRedirect:
    """In AWS's words; SDKs follow the header, for here all regions have one endpoint."""
    return PermanentRedirect(
        "The bucket you are attempting to access must be addressed using the specified endpoint. "
        "Please send all future requests to this endpoint.",
        headers={"x-amz-bucket-region": bucket.region},
        Endpoint=endpoint.partition("://")[2],
        Bucket=bucket.name,
    )


def no_length() -> MissingContentLength:
    """In AWS's words."""
    return MissingContentLength("You must provide the Content-Length HTTP header.")


def no_key(key: str) -> NoSuchKey:
    """In AWS's words."""
    return NoSuchKey("The specified key does not exist.", Key=key)


def malformed_xml() -> MalformedXML:
    """In AWS's words."""
    return MalformedXML(
        "The XML you provided was not well-formed or did not validate against our published schema"
    )


def no_upload(upload_id: str) -> NoSuchUpload:
    """In AWS's words."""
    return NoSuchUpload(
        "The specified upload does not exist. The upload ID may be invalid, or the upload may "
        "have been aborted or completed.",
        UploadId=upload_id,
    )


def no_version(key: str, version_id: str) -> NoSuchVersion:
    """In AWS's words."""
    return NoSuchVersion("The specified version does not exist.", Key=key, VersionId=version_id)


def failed_condition(condition: str) -> PreconditionFailed:
    """In AWS's words."""
    return PreconditionFailed(
        "At least one of the pre-conditions you specified did not hold", Condition=condition
    )
