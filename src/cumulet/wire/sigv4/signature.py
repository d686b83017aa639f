"""Reading a signature: from the Authorization header, or from the query of a pre-signed URL.

Only version 4 is read here. What is missing or malformed is refused in AWS's words; whether the
signature is true is decided in `verify.py`.
"""

from __future__ import annotations

import calendar
import re
import time
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

import msgspec

from cumulet.core.errors import AwsError, IncompleteSignature, SignatureMismatch
from cumulet.core.http import Request
from cumulet.wire.sigv4 import refusals

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
TERMINATOR = "aws4_request"
EXPIRES_SECONDS_MAX = 604_800
"""A week: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html"""

_BASIC_TIME = re.compile(r"\d{8}T\d{6}Z\Z", re.ASCII)
_SEPARATORS = re.compile(r"[\s,]+")
"""Between the parts of the header; AWS takes white space alone as well."""
_CACHED_MAX = 1_024
_NO_DATE = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
_THREE = (
    "the authorization header requires three components: Credential, SignedHeaders, and Signature."
)


class ParsedSignature(msgspec.Struct, frozen=True):
    """What a request claims about who signed it, when, and for what.

    `signed_headers` are sorted lower-case names as sent; `payload_hash` is `x-amz-content-sha256`
    or "" when there is none; `expires_seconds` is None unless the URL is pre-signed with a life.
    `flaw` is what is wrong with the scope: it is refused by `check_time`, as AWS looks at the
    time first.
    """

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    session_token: str
    presigned: bool
    expires_seconds: int | None
    payload_hash: str
    flaw: AwsError | None = None

    @property
    def scope(self) -> str:
        """The credential scope, as it is signed."""
        return f"{self.date}/{self.region}/{self.service}/{TERMINATOR}"


class _Claim(NamedTuple):
    access_key_id: str
    date: str
    region: str
    service: str
    terminator: str
    signed_headers: tuple[str, ...]


def claimed_service(request: Request) -> str:
    """The service of the credential scope, unchecked, or "" when there is none."""
    authorization = request.headers.first.get("authorization", "")
    if authorization.startswith(ALGORITHM):
        return _service_in(authorization.rpartition("Signature=")[0] or authorization)
    if not is_presigned(request):
        return ""
    parts = _query_parameters(request.query).get("X-Amz-Credential", "").split("/")
    return parts[-2] if len(parts) >= 5 else ""


@lru_cache(_CACHED_MAX)
def _service_in(before: str) -> str:
    """The service in an Authorization header; what precedes the signature seldom changes."""
    parts = before.partition("Credential=")[2].partition(",")[0].strip().split("/")
    return parts[-2] if len(parts) >= 5 else ""


def is_presigned(request: Request) -> bool:
    """Whether the query carries a version 4 signature."""
    query = request.query
    return "X-Amz-" in query and (
        "X-Amz-Signature=" in query or "X-Amz-Algorithm=" in query or "X-Amz-Credential=" in query
    )


def parse(request: Request, *, s3: bool) -> ParsedSignature | None:
    """The signature of a request, or None when it carries none.

    `s3` chooses whose words a refusal is in. Raises AwsError.
    """
    authorization = request.headers.first.get("authorization")
    if authorization:
        if s3 and is_presigned(request):
            raise refusals.s3_argument(
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
                "Signature query string parameter or the Authorization header should be specified",
                "Authorization",
                authorization,
            )
        return _from_header(request, authorization, s3)
    if is_presigned(request):
        return _from_query(request, s3)
    if s3 and "AWSAccessKeyId=" in request.query and "Signature=" in request.query:
        # A version 2 signature must not pass for none: the caller would be taken for anonymous.
        raise _unsupported_version()
    return None


def epoch_of(timestamp: str) -> int:
    """Seconds since the epoch of `20260131T120000Z`."""
    return _epoch_of(timestamp)


@lru_cache(_CACHED_MAX)
def _epoch_of(timestamp: str) -> int:
    return calendar.timegm(time.strptime(timestamp, "%Y%m%dT%H%M%SZ"))


# The Authorization header


def _from_header(request: Request, authorization: str, s3: bool) -> ParsedSignature:
    before, found, signature = authorization.rpartition("Signature=")
    if not found or "," in signature or not authorization.startswith(ALGORITHM + " "):
        before, signature = _reordered(request, authorization, s3)
    first = request.headers.first
    timestamp = first.get("x-amz-date", "")
    if _BASIC_TIME.match(timestamp) is None:
        timestamp = _timestamp(request, s3)
    key, date, region, service, terminator, signed = claim = _claim_of_header(before, s3)
    flaw = None
    if terminator != TERMINATOR or date != timestamp[:8] or "host" not in signed:
        flaw = _flaw(claim, timestamp, s3)
        if flaw is not None and s3:
            raise flaw
    return ParsedSignature(
        key,
        date,
        region,
        service,
        signed,
        signature.strip(),
        timestamp,
        first.get("x-amz-security-token", ""),
        False,
        None,
        first.get("x-amz-content-sha256", ""),
        flaw,
    )


def _reordered(request: Request, authorization: str, s3: bool) -> tuple[str, str]:
    """A header that is not in the usual order, brought into it; or refused."""
    algorithm, _, rest = authorization.partition(" ")
    if algorithm != ALGORITHM:
        raise _other_algorithm(authorization, algorithm, s3)
    parts = _parts(rest, authorization, s3)
    problems = [
        f"Authorization header requires '{name}' parameter."
        for name in ("Credential", "Signature", "SignedHeaders")
        if not parts.get(name)
    ]
    headers = request.headers
    if "x-amz-date" not in headers and "date" not in headers:
        problems.append(_NO_DATE)
    if problems and s3:
        raise refusals.s3_header_malformed(_THREE)
    if problems:
        raise refusals.incomplete(problems, authorization)
    before = f"{ALGORITHM} Credential={parts['Credential']}, SignedHeaders={parts['SignedHeaders']}"
    return before, parts["Signature"]


def _other_algorithm(authorization: str, algorithm: str, s3: bool) -> Exception:
    if s3 and algorithm == "AWS":
        return _unsupported_version()
    if s3:
        return refusals.s3_argument(
            "Unsupported Authorization Type", "Authorization", authorization
        )
    if algorithm.startswith("AWS4-"):
        return IncompleteSignature(f"Unsupported AWS 'algorithm': '{algorithm}'.")
    return refusals.not_a_pair(authorization)


def _unsupported_version() -> AwsError:
    return AwsError(
        f"The authorization mechanism you have provided is not supported. Please use {ALGORITHM}.",
        code="InvalidRequest",
        http_status=400,
    )


def _parts(rest: str, authorization: str, s3: bool) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in _SEPARATORS.split(rest.strip(" ,")):
        name, equals, value = part.partition("=")
        if name and not equals:
            if s3:
                raise refusals.s3_header_malformed(_THREE)
            raise refusals.not_a_pair(authorization)
        parts.setdefault(name, value)
    return parts


@lru_cache(_CACHED_MAX)
def _claim_of_header(before: str, s3: bool) -> _Claim:
    """The part before the signature, which a client repeats from request to request."""
    parts = _parts(before.partition(" ")[2].rstrip(", "), before, s3)
    missing = [name for name in ("Credential", "SignedHeaders") if not parts.get(name)]
    if missing and not s3:
        problems = [f"Authorization header requires '{name}' parameter." for name in missing]
        raise refusals.incomplete(problems, before)
    if missing:
        raise refusals.s3_header_malformed(_THREE)
    return _claim(parts["Credential"], parts["SignedHeaders"], s3=s3, presigned=False)


def _claim(credential: str, signed_headers: str, *, s3: bool, presigned: bool) -> _Claim:
    fields = credential.split("/")
    if len(fields) != 5:
        if not s3:
            raise IncompleteSignature(
                "Credential must have exactly 5 slash-delimited elements, "
                f"e.g. keyid/date/region/service/term, got '{credential}'"
            )
        detail = f"the Credential is mal-formed; expecting {refusals.EXPECTED_CREDENTIAL}."
        if presigned:
            raise refusals.s3_query_malformed(
                f"Error parsing the X-Amz-Credential parameter; {detail}"
            )
        raise refusals.s3_header_malformed(detail)
    key, date, region, service, terminator = fields
    return _Claim(key, date, region, service, terminator, tuple(signed_headers.split(";")))


def _flaw(claim: _Claim, timestamp: str, s3: bool) -> AwsError | None:
    """What is wrong with the scope's date or end, or with the headers that have to be signed."""
    if claim.terminator == TERMINATOR and claim.date == timestamp[:8]:
        if "host" in claim.signed_headers:
            return None
        if s3:
            return refusals.s3_denied(
                "There were headers present in the request which were not signed",
                HeadersNotSigned="host",
            )
        return SignatureMismatch(
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
        )
    if claim.terminator != TERMINATOR:
        if s3:
            return refusals.s3_header_malformed(
                f'incorrect terminal "{claim.terminator}". This endpoint uses "{TERMINATOR}".'
            )
        return SignatureMismatch(
            f"Credential should be scoped with a valid terminator: '{TERMINATOR}', "
            f"not '{claim.terminator}'."
        )
    if s3:
        return refusals.s3_header_malformed(
            f'Invalid credential date "{claim.date}". This date is not the same as X-Amz-Date: '
            f'"{timestamp[:8]}".'
        )
    return SignatureMismatch(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
        f"HTTP: '{claim.date}' != '{timestamp[:8]}', from '{timestamp}'."
    )


def _timestamp(request: Request, s3: bool) -> str:
    """The time of a request whose X-Amz-Date is missing or odd, from Date. Raises AwsError."""
    headers = request.headers
    text = headers.get("x-amz-date") or headers.get("date")
    if _BASIC_TIME.match(text) is not None:
        return text
    if "x-amz-date" not in headers and text:
        try:
            return refusals.basic_time(parsedate_to_datetime(text).timestamp())
        except (TypeError, ValueError):
            pass
    if s3:
        raise refusals.s3_denied("AWS authentication requires a valid Date or x-amz-date header")
    if not text:
        raise refusals.incomplete(
            [_NO_DATE],
            headers.get("authorization"),
        )
    raise IncompleteSignature(
        f"Date must be in ISO-8601 'basic format'. Got '{text}'. "
        "See http://en.wikipedia.org/wiki/ISO_8601"
    )


# Pre-signed URLs


def _query_parameters(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name.startswith("X-Amz-"):
            found.setdefault(name, unquote(value, "latin-1"))
    return found


def _from_query(request: Request, s3: bool) -> ParsedSignature:
    given = _query_parameters(request.query)
    needed = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date"]
    needed += ["X-Amz-SignedHeaders", *(["X-Amz-Expires"] if s3 else [])]
    missing = [name for name in needed if not given.get(name)]
    if missing and s3:
        raise refusals.s3_query_malformed(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, "
            "X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires "
            "parameters."
        )
    if missing:
        raise IncompleteSignature(
            " ".join(f"AWS query-string parameters must include '{name}'." for name in missing)
            + " Re-examine the query-string parameters."
        )
    if given["X-Amz-Algorithm"] != ALGORITHM:
        raise _query_algorithm(given["X-Amz-Algorithm"], s3)
    timestamp = given["X-Amz-Date"]
    if _BASIC_TIME.match(timestamp) is None:
        raise _query_date(timestamp, s3)
    claim = _claim(given["X-Amz-Credential"], given["X-Amz-SignedHeaders"], s3=s3, presigned=True)
    flaw = _flaw(claim, timestamp, s3)
    if flaw is not None:
        raise flaw
    payload_hash = request.headers.get("x-amz-content-sha256")
    return ParsedSignature(
        claim.access_key_id,
        claim.date,
        claim.region,
        claim.service,
        claim.signed_headers,
        given["X-Amz-Signature"],
        timestamp,
        given.get("X-Amz-Security-Token", ""),
        True,
        _expires(given.get("X-Amz-Expires"), s3),
        payload_hash or given.get("X-Amz-Content-Sha256", ""),
    )


def _query_algorithm(algorithm: str, s3: bool) -> Exception:
    if s3:
        return refusals.s3_query_malformed(f'X-Amz-Algorithm only supports "{ALGORITHM}"')
    return IncompleteSignature(f"Unsupported AWS 'algorithm': '{algorithm}'.")


def _query_date(text: str, s3: bool) -> Exception:
    if s3:
        return refusals.s3_query_malformed(
            "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
        )
    return IncompleteSignature(
        f"Date must be in ISO-8601 'basic format'. Got '{text}'. "
        "See http://en.wikipedia.org/wiki/ISO_8601"
    )


def _expires(text: str | None, s3: bool) -> int | None:
    if text is None:
        return None
    digits = text.removeprefix("-")
    number = int(text) if digits.isascii() and digits.isdigit() and len(digits) < 20 else None
    if number is not None and 0 <= number <= EXPIRES_SECONDS_MAX:
        return number
    if number is None:
        message = "X-Amz-Expires should be a number"
    elif number < 0:
        message = "X-Amz-Expires must be non-negative"
    else:
        message = (
            "X-Amz-Expires must be less than a week (in seconds); that is, the given "
            f"X-Amz-Expires must be less than {EXPIRES_SECONDS_MAX} seconds"
        )
    raise refusals.s3_query_malformed(message) if s3 else IncompleteSignature(message)
