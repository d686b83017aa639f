"""The errors of Bedrock, named as its models name them."""

from cumulet.core.errors import AwsError


class ValidationException(AwsError):
    """The request, or the body that the model would get, is not one that it takes."""


class ResourceNotFoundException(AwsError):
    """No model or profile answers to this identifier."""


class ThrottlingException(AwsError):
    """Too many invocations wait for the model."""


class ModelTimeoutException(AwsError):
    """The model was silent for too long."""


class ModelErrorException(AwsError):
    """The model's server failed; `originalStatusCode` is what it said."""


class ModelNotReadyException(AwsError):
    """The model is being loaded."""


class ModelStreamErrorException(AwsError):
    """The model failed in the middle of its answer."""


class ServiceUnavailableException(AwsError):
    """What should run the model cannot be reached, or is not installed."""
