"""The errors of Certificate Manager, named as its model names them."""

from cumulet.core.errors import AwsError


class ResourceNotFoundException(AwsError):
    """There is no such certificate."""


class ResourceInUseException(AwsError):
    """Another service uses the certificate."""


class ValidationException(AwsError):
    """The input does not make a certificate, or not for this operation."""


class InvalidParameterException(AwsError):
    """A parameter has a value that is not served."""


class LimitExceededException(AwsError):
    """A bound of `limits.py` would be passed."""


class TooManyTagsException(AwsError):
    """The certificate would have more tags than it may."""


class InvalidTagException(AwsError):
    """A tag's key is reserved."""


class ConflictException(AwsError):
    """Another request changed the certificate meanwhile."""


def no_certificate(arn: str) -> ResourceNotFoundException:
    """The account has no certificate of this ARN in this region."""
    return ResourceNotFoundException(f"Could not find certificate {arn}.")


def unserved(what: str) -> InvalidParameterException:
    """AWS has it and Cumulet does not: refused, never accepted and ignored."""
    return InvalidParameterException(f"{what} not supported by Cumulet yet.")
