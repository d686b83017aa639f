"""The answer to a browser that asks whether a page may use a bucket."""

from __future__ import annotations

from cumulet.core.http import Request, Response
from cumulet.services.s3.front.documents import error_document
from cumulet.services.s3.rules.cors import rule_for
from cumulet.services.s3.store.known import Known


def answer_preflight(request: Request, known: Known | None) -> Response:
    """By the first rule of the bucket that allows the method and the headers.

    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html
    """
    headers = request.headers
    origin, method = headers.get("origin"), headers.get("access-control-request-method")
    asked = headers.get("access-control-request-headers")
    names = [name.strip().lower() for name in asked.split(",") if name.strip()]
    if not origin:
        return error_document(
            400,
            "BadRequest",
            "Insufficient information. Origin request header needed.",
        )
    if known is None or not known.cors:
        return error_document(
            403, "AccessForbidden", "CORSResponse: CORS is not enabled for this bucket."
        )
    rule = rule_for(known.cors, origin, method, names)
    if rule is None:
        return error_document(
            403,
            "AccessForbidden",
            "CORSResponse: This CORS request is not allowed. This is usually because the evalution "
            "of Origin, request method / Access-Control-Request-Method or "
            "Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
        )
    told = rule.answer(origin)
    if names:
        told.append(("access-control-allow-headers", ", ".join(names)))
    return Response(200, told)
