"""The errors of Cognito, named as its models name them."""

from cumulet.core.errors import AwsError


class InvalidParameterException(AwsError):
    """A parameter is not one that can be used."""


class ResourceNotFoundException(AwsError):
    """There is no such pool, client, group, domain or identity."""


class NotAuthorizedException(AwsError):
    """The password, token, session or secret is not right, or does not allow this."""


class UserNotFoundException(AwsError):
    """There is no such user."""


class UserNotConfirmedException(AwsError):
    """The user has not confirmed the account."""


class UsernameExistsException(AwsError):
    """The name of the user is taken."""


class AliasExistsException(AwsError):
    """Another user has the verified address or number."""


class InvalidPasswordException(AwsError):
    """The password breaks the pool's policy."""


class CodeMismatchException(AwsError):
    """The code is wrong."""


class ExpiredCodeException(AwsError):
    """The code holds no longer."""


class CodeDeliveryFailureException(AwsError):
    """The code could not be sent."""


class PreconditionNotMetException(AwsError):
    """The job is not in a state for this."""


class LimitExceededException(AwsError):
    """Too many of something."""


class TooManyFailedAttemptsException(AwsError):
    """Too many wrong passwords or codes."""


class TooManyRequestsException(AwsError):
    """More at once than is served."""


class PasswordResetRequiredException(AwsError):
    """The password must be reset before the next sign-in."""


class UnsupportedUserStateException(AwsError):
    """The user's state does not allow this."""


class UserLambdaValidationException(AwsError):
    """A trigger refused."""


class UnexpectedLambdaException(AwsError):
    """A trigger could not be called."""


class InvalidLambdaResponseException(AwsError):
    """A trigger's answer is not one."""


class MFAMethodNotFoundException(AwsError):
    """No second factor is there to be used."""


class EnableSoftwareTokenMFAException(AwsError):
    """The code of the authenticator is wrong."""


class SoftwareTokenMFANotFoundException(AwsError):
    """Authenticators are not enabled for the pool."""


class GroupExistsException(AwsError):
    """The name of the group is taken."""


class InvalidUserPoolConfigurationException(AwsError):
    """The pool's settings do not go together."""


class InvalidOAuthFlowException(AwsError):
    """The flows of the client do not go together."""


class ScopeDoesNotExistException(AwsError):
    """No resource server has such a scope."""


class RefreshTokenReuseException(AwsError):
    """A refresh token that was exchanged is used again."""


class UnsupportedTokenTypeException(AwsError):
    """Only refresh tokens can be revoked."""


class UnsupportedOperationException(AwsError):
    """The client does not allow revocation."""


class UnauthorizedException(AwsError):
    """The client and its secret do not fit the token."""


class FeatureUnavailableInTierException(AwsError):
    """The feature is not there."""


class UserPoolTaggingException(AwsError):
    """The tags cannot be put on the pool."""


class ResourceConflictException(AwsError):
    """The login is another identity's (identity pools)."""


class InvalidIdentityPoolConfigurationException(AwsError):
    """The identity pool has no role that fits (identity pools)."""
