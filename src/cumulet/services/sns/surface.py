"""The addresses that messages name: to confirm, to unsubscribe, and the certificate of signatures.

The token, or the unguessable id in the subscription's ARN, is all the proof that is asked for.
"""

from __future__ import annotations

from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context, Platform
from cumulet.core.errors import AwsError
from cumulet.core.http import Request, Response
from cumulet.core.identity import Scope, parse_arn, service_principal
from cumulet.services.sns.hall import TopicHall, name_in, named_in_subscription
from cumulet.services.sns.model import subscription_arn
from cumulet.services.sns.operations.subscription import confirm, end
from cumulet.services.sns.sending.carry import PRINCIPAL
from cumulet.services.sns.sending.signing import PATH, Signer

_SPACE = "http://sns.amazonaws.com/doc/2010-03-31/"
_CERTIFICATE = "SimpleNotificationService-"


class Links:
    """Answers `GET /_cumulet/sns/…`."""

    name = "sns-links"

    def match(self, request: Request) -> bool:
        """By path alone."""
        return request.path.startswith(PATH)

    async def serve(self, platform: Platform, request: Request) -> Response:
        """A certificate, or what was asked for as AWS's API answers it."""
        if request.method not in ("GET", "HEAD"):
            return Response(405, [("allow", "GET, HEAD")])
        name = request.path[len(PATH) :]
        if name.startswith(_CERTIFICATE) and name.endswith(".pem"):
            found = await platform.need(Signer).certificate(name[len(_CERTIFICATE) : -4])
            if found is None:
                return Response(404)
            return Response(200, [("content-type", "application/x-pem-file")], found.encode())
        if name:
            return Response(404)
        query = {key: values[0] for key, values in parse_qs(request.query).items()}
        try:
            return await _act(platform, query)
        except AwsError as error:
            return _refused(error)


async def _act(platform: Platform, query: dict[str, str]) -> Response:
    match query.get("Action"):
        case "ConfirmSubscription":
            ctx = _context(platform, query.get("TopicArn", ""))
            named = name_in(ctx, query.get("TopicArn", ""))
            one = await confirm(ctx, named, query.get("Token", ""), authenticated=False)
            arn = subscription_arn(named.scope, one)
            inner = f"<SubscriptionArn>{escape(arn)}</SubscriptionArn>"
            return _answered(ctx, "ConfirmSubscription", inner)
        case "Unsubscribe":
            ctx = _context(platform, query.get("SubscriptionArn", ""))
            named, name = named_in_subscription(ctx, query.get("SubscriptionArn", ""))
            found = (await ctx.need(TopicHall).subscribers(*named)).get(name)
            if found is not None and found.subscription.needs_authentication:
                return Response(403)
            if found is not None and not found.subscription.is_pending:
                await end(ctx, named, name, says_goodbye=True)
            return _answered(ctx, "Unsubscribe", "")
    return Response(400)


def _context(platform: Platform, arn: str) -> Context:
    parts = parse_arn(arn)
    scope = Scope(parts.account, parts.region) if parts is not None else Scope("", "")
    caller = service_principal(PRINCIPAL, scope.account)
    return platform.context(scope, caller, request_id=new_uuid(platform.clock))


def _answered(ctx: Context, action: str, inner: str) -> Response:
    result = f"<{action}Result>{inner}</{action}Result>" if inner else ""
    about = f"<ResponseMetadata><RequestId>{ctx.request_id}</RequestId></ResponseMetadata>"
    text = f'<{action}Response xmlns="{_SPACE}">{result}{about}</{action}Response>'
    return Response(200, [("content-type", "text/xml")], text.encode())


def _refused(error: AwsError) -> Response:
    code = error.code.removesuffix("Exception")
    status = 404 if code == "NotFound" else 400
    text = (
        f'<ErrorResponse xmlns="{_SPACE}"><Error><Type>Sender</Type><Code>{escape(code)}</Code>'
        f"<Message>{escape(error.message)}</Message></Error></ErrorResponse>"
    )
    return Response(status, [("content-type", "text/xml")], text.encode())
