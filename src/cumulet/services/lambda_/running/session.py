"""What an execution environment is given: the role's credentials and Lambda's own variables.

The variables: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied, AwsError
from cumulet.core.identity import Principal, Scope, parse_arn, service_principal
from cumulet.kit.ports import Credentials
from cumulet.services.lambda_.limits import CREDENTIAL_SECONDS
from cumulet.services.lambda_.model import Version

SERVICE = "lambda.amazonaws.com"
_SESSION_NAME_MIN = 2
CANNOT_ASSUME = "The role defined for the function cannot be assumed by Lambda."


@dataclass(frozen=True, slots=True)
class Session:
    """A session of the execution role. `principal` is None when iam does not know the key."""

    access_key_id: str
    secret: str
    token: str
    principal: Principal | None
    began: float


async def assume(ctx: Context, role: str, name: str) -> Session:
    """A new session of an execution role. Raises AccessDenied when Lambda may not assume it."""
    arn = parse_arn(role)
    if arn is None:
        raise AccessDenied(CANNOT_ASSUME)
    lambda_ctx = ctx.acting_as(service_principal(SERVICE, arn.account))
    try:
        answer = await lambda_ctx.call(
            "sts",
            "AssumeRole",
            RoleArn=role,
            RoleSessionName=name[:64].ljust(_SESSION_NAME_MIN, "-"),
            DurationSeconds=CREDENTIAL_SECONDS,
        )
    except AwsError as cause:
        raise AccessDenied(CANNOT_ASSUME) from cause
    keys = answer["Credentials"]
    found = await ctx.need(Credentials).find(keys["AccessKeyId"], keys["SessionToken"])
    return Session(
        keys["AccessKeyId"],
        keys["SecretAccessKey"],
        keys["SessionToken"],
        None if found is None else found.principal,
        ctx.clock.now(),
    )


async def may_log(ctx: Context, scope: Scope, session: Session, group: str) -> bool:
    """Whether the execution role allows the function's log stream to be made and written."""
    if session.principal is None:
        return False
    role_ctx = ctx.acting_as(session.principal)
    resource = scope.arn("logs", f"log-group:{group}:log-stream:*")
    try:
        await role_ctx.authorize("logs:CreateLogStream", resource)
        await role_ctx.authorize("logs:PutLogEvents", resource)
    except AccessDenied:
        return False
    return True


async def may_trace(ctx: Context, session: Session) -> bool:
    """Whether the execution role allows the function to send segments of its own."""
    if session.principal is None:
        return False
    try:
        await ctx.acting_as(session.principal).authorize("xray:PutTraceSegments", "*")
    except AccessDenied:
        return False
    return True


def environment_of(
    scope: Scope,
    version: Version,
    variables: dict[str, str],
    session: Session,
    endpoint: str,
    objects: str = "",
    daemon: str = "",
) -> dict[str, str]:
    """The variables of the process, without the log stream, which each environment has its own of.

    `objects` is the endpoint for S3, when it is another, as what a function signs is for browsers.
    `daemon` is where X-Ray's SDKs send segments to, if they can.
    The function's own variables cannot replace Lambda's.
    """
    settings = version.settings
    logging = settings.logging
    made = dict(variables)
    made.update(
        {
            "AWS_ACCESS_KEY_ID": session.access_key_id,
            "AWS_SECRET_ACCESS_KEY": session.secret,
            "AWS_SESSION_TOKEN": session.token,
            "AWS_REGION": scope.region,
            "AWS_DEFAULT_REGION": scope.region,
            "AWS_ENDPOINT_URL": variables.get("AWS_ENDPOINT_URL") or by_address(endpoint),
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{settings.runtime}",
            "AWS_LAMBDA_FUNCTION_NAME": version.function,
            "AWS_LAMBDA_FUNCTION_VERSION": version.label,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(settings.memory_mb),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": logging.group,
            "AWS_LAMBDA_LOG_FORMAT": logging.format,
            "LAMBDA_TASK_ROOT": "/var/task",
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "_HANDLER": settings.handler,
        }
    )
    if objects and not variables.get("AWS_ENDPOINT_URL"):
        made.setdefault("AWS_ENDPOINT_URL_S3", objects)
    if daemon:
        host, _, port = daemon.partition(":")
        made.setdefault("AWS_XRAY_DAEMON_ADDRESS", daemon)
        made.setdefault("_AWS_XRAY_DAEMON_ADDRESS", host)
        made.setdefault("_AWS_XRAY_DAEMON_PORT", port)
    made.setdefault("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR")
    made.setdefault("TZ", ":UTC")
    made.setdefault("LANG", "en_US.UTF-8")
    if logging.format == "JSON":
        made["AWS_LAMBDA_LOG_LEVEL"] = logging.application_level or "INFO"
    return made


def by_address(endpoint: str) -> str:
    """The endpoint by address: clients then use paths, and need no name that resolves."""
    parts = urlsplit(endpoint)
    if parts.hostname != "localhost":
        return endpoint
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit((parts.scheme, f"127.0.0.1{port}", parts.path, "", ""))
