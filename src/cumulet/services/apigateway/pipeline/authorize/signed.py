"""AWS_IAM: the signer of a request, by the signature itself."""

from __future__ import annotations

from cumulet.core.context import Platform
from cumulet.core.errors import (
    AwsError,
    ExpiredToken,
    IncompleteSignature,
    RequestExpired,
    SignatureMismatch,
    UnknownKey,
)
from cumulet.core.identity import Principal
from cumulet.kit.ports import Authenticator
from cumulet.services.apigateway.pipeline.faults import GatewayFault, missing_token
from cumulet.services.apigateway.pipeline.match import Matched

_SIGNATURE_FAULTS: dict[type[AwsError], tuple[str, str]] = {
    SignatureMismatch: ("INVALID_SIGNATURE", "InvalidSignatureException"),
    RequestExpired: ("INVALID_SIGNATURE", "InvalidSignatureException"),
    UnknownKey: ("ACCESS_DENIED", "UnrecognizedClientException"),
    ExpiredToken: ("EXPIRED_TOKEN", "ExpiredTokenException"),
    IncompleteSignature: ("INVALID_SIGNATURE", "IncompleteSignatureException"),
}


async def identify_signer(platform: Platform, matched: Matched) -> Principal:
    """Who signed. Raises GatewayFault when nobody did, or the signature does not hold."""
    arrival = matched.arrival
    authenticator = platform.need(Authenticator)
    try:
        caller = await authenticator.authenticate(arrival.request, "execute-api", arrival.body)
    except AwsError as error:
        kind, name = _SIGNATURE_FAULTS.get(
            type(error), ("INVALID_SIGNATURE", "InvalidSignatureException")
        )
        if error.http_status is not None and error.http_status >= 500:
            raise
        raise GatewayFault(kind, 403, name, error.message) from error
    if caller.kind == "anonymous":
        raise missing_token()
    return caller
