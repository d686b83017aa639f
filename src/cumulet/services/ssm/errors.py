"""The errors of Parameter Store, named as the model of Systems Manager names them."""

from cumulet.core.errors import AwsError


class ValidationException(AwsError):
    """A value or a combination of values that Parameter Store does not take."""


class ParameterNotFound(AwsError):
    """There is no such parameter."""


class ParameterVersionNotFound(AwsError):
    """The parameter has no such version or label."""


class ParameterAlreadyExists(AwsError):
    """The parameter exists, and overwriting was not asked for."""


class ParameterMaxVersionLimitExceeded(AwsError):
    """The oldest version would have to go, and it has a label."""


class ParameterPatternMismatchException(AwsError):
    """The value does not match the parameter's pattern."""


class InvalidAllowedPatternException(AwsError):
    """The pattern is not a regular expression, or takes too long."""


class HierarchyLevelLimitExceededException(AwsError):
    """The name has too many levels."""


class InvalidKeyId(AwsError):
    """The key is not one that this cloud has."""


class InvalidPolicyTypeException(AwsError):
    """Parameter policies are not there."""


class InvalidFilterKey(AwsError):
    """The filter's key cannot be used here."""


class InvalidFilterOption(AwsError):
    """The filter's option does not go with its key."""


class InvalidNextToken(AwsError):
    """The token is not one of ours."""


class InvalidResourceType(AwsError):
    """Only parameters can be tagged."""


class InvalidResourceId(AwsError):
    """There is no such parameter to be tagged."""


class TooManyTagsError(AwsError):
    """A parameter has at most fifty tags."""


class ParameterVersionLabelLimitExceeded(AwsError):
    """A version has at most ten labels."""
