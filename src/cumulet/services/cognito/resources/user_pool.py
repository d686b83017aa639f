"""AWS::Cognito::UserPool.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpool.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    FLAG,
    NUMBER,
    TEXT,
    Draft,
    PartlyMade,
    Props,
    Provisioned,
    ResourceType,
    list_of,
    map_of,
    struct,
)

_PASSWORD = {
    "MinimumLength": NUMBER,
    "RequireUppercase": FLAG,
    "RequireLowercase": FLAG,
    "RequireNumbers": FLAG,
    "RequireSymbols": FLAG,
    "TemporaryPasswordValidityDays": NUMBER,
}
_TRIGGERS = (
    *("PreSignUp", "CustomMessage", "PostConfirmation", "PreAuthentication"),
    *("PostAuthentication", "DefineAuthChallenge", "CreateAuthChallenge"),
    *("VerifyAuthChallengeResponse", "PreTokenGeneration", "UserMigration"),
)
_ATTRIBUTE = {
    "Name": TEXT,
    "AttributeDataType": TEXT,
    "DeveloperOnlyAttribute": FLAG,
    "Mutable": FLAG,
    "Required": FLAG,
    "StringAttributeConstraints": struct({"MinLength": TEXT, "MaxLength": TEXT}),
    "NumberAttributeConstraints": struct({"MinValue": TEXT, "MaxValue": TEXT}),
}
_INVITE = {"EmailMessage": TEXT, "EmailSubject": TEXT, "SMSMessage": TEXT}
_TEMPLATE = (
    *("DefaultEmailOption", "EmailMessage", "EmailMessageByLink"),
    *("EmailSubject", "EmailSubjectByLink", "SmsMessage"),
)
_RECOVERY = struct({"Name": TEXT, "Priority": NUMBER})
_PROPERTIES = {
    "UserPoolName": TEXT,
    "Policies": struct(
        {
            "PasswordPolicy": struct(_PASSWORD),
            "SignInPolicy": struct({"AllowedFirstAuthFactors": list_of(TEXT)}),
        }
    ),
    "LambdaConfig": struct(
        {
            **dict.fromkeys(_TRIGGERS, TEXT),
            "PreTokenGenerationConfig": struct({"LambdaArn": TEXT, "LambdaVersion": TEXT}),
        }
    ),
    "Schema": list_of(struct(_ATTRIBUTE)),
    "AutoVerifiedAttributes": list_of(TEXT),
    "AliasAttributes": list_of(TEXT),
    "UsernameAttributes": list_of(TEXT),
    "UsernameConfiguration": struct({"CaseSensitive": FLAG}),
    "MfaConfiguration": TEXT,
    "EnabledMfas": list_of(TEXT),
    "SmsConfiguration": struct({"SnsCallerArn": TEXT, "ExternalId": TEXT, "SnsRegion": TEXT}),
    "EmailConfiguration": struct(
        {
            "EmailSendingAccount": TEXT,
            "From": TEXT,
            "ReplyToEmailAddress": TEXT,
            "SourceArn": TEXT,
        }
    ),
    "VerificationMessageTemplate": struct(dict.fromkeys(_TEMPLATE, TEXT)),
    "EmailVerificationMessage": TEXT,
    "EmailVerificationSubject": TEXT,
    "SmsVerificationMessage": TEXT,
    "SmsAuthenticationMessage": TEXT,
    "EmailAuthenticationMessage": TEXT,
    "EmailAuthenticationSubject": TEXT,
    "AdminCreateUserConfig": struct(
        {"AllowAdminCreateUserOnly": FLAG, "InviteMessageTemplate": struct(_INVITE)}
    ),
    "AccountRecoverySetting": struct({"RecoveryMechanisms": list_of(_RECOVERY)}),
    "UserAttributeUpdateSettings": struct(
        {"AttributesRequireVerificationBeforeUpdate": list_of(TEXT)}
    ),
    "DeletionProtection": TEXT,
    "UserPoolTier": TEXT,
    "UserPoolTags": map_of(TEXT),
}
_FIXED = ("AliasAttributes", "UsernameAttributes", "UsernameConfiguration")
_OWN = (
    *("UserPoolName", "EnabledMfas", "Schema", "UserPoolTags", "MfaConfiguration"),
    *("EmailAuthenticationMessage", "EmailAuthenticationSubject"),
)
_STEP = "aws:cloudformation:step"
_PAGE = 60


def _tags(props: Props, draft: Draft) -> dict[str, str]:
    return {
        **props.get("UserPoolTags", {}),
        "aws:cloudformation:stack-id": draft.stack_id,
        "aws:cloudformation:logical-id": draft.logical_id,
        _STEP: draft.token,
    }


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    pool = await _made_before(ctx, draft) if draft.resumed else None
    if pool is None:
        schema = {"Schema": props["Schema"]} if "Schema" in props else {}
        made = await ctx.call(
            "cognito-idp",
            "CreateUserPool",
            PoolName=props.get("UserPoolName") or draft.name(128),
            UserPoolTags=_tags(props, draft),
            **schema,
            **_settings(props),
        )
        pool = made["UserPool"]["Id"]
    try:
        await _set_factors(ctx, pool, props)
    except AwsError as cause:
        raise PartlyMade(pool) from cause
    return _provisioned(ctx, pool)


def _settings(props: Props) -> dict[str, Any]:
    return {name: value for name, value in props.items() if name not in _OWN}


async def _set_factors(ctx: Context, pool: str, props: Props) -> None:
    """Second factors are said in a call of their own."""
    enabled = props.get("EnabledMfas", ())
    request: dict[str, Any] = {}
    if "SOFTWARE_TOKEN_MFA" in enabled:
        request["SoftwareTokenMfaConfiguration"] = {"Enabled": True}
    if "EMAIL_OTP" in enabled:
        mail = {
            "Message": props.get("EmailAuthenticationMessage"),
            "Subject": props.get("EmailAuthenticationSubject"),
        }
        request["EmailMfaConfiguration"] = {key: v for key, v in mail.items() if v}
    mode = props.get("MfaConfiguration", "OFF")
    await ctx.call(
        "cognito-idp", "SetUserPoolMfaConfig", UserPoolId=pool, MfaConfiguration=mode, **request
    )


async def _made_before(ctx: Context, draft: Draft) -> str | None:
    """The pool that an earlier try of the same step made."""
    token: dict[str, str] = {}
    while True:
        page = await ctx.call("cognito-idp", "ListUserPools", MaxResults=_PAGE, **token)
        for one in page["UserPools"]:
            arn = ctx.scope.arn("cognito-idp", f"userpool/{one['Id']}")
            tags = (await ctx.call("cognito-idp", "ListTagsForResource", ResourceArn=arn))["Tags"]
            if tags.get(_STEP) == draft.token:
                found: str = one["Id"]
                return found
        if "NextToken" not in page:
            return None
        token = {"NextToken": page["NextToken"]}


def _provisioned(ctx: Context, pool: str) -> Provisioned:
    name = f"cognito-idp.{ctx.scope.region}.amazonaws.com/{pool}"
    return Provisioned(
        pool,
        {
            "Arn": ctx.scope.arn("cognito-idp", f"userpool/{pool}"),
            "ProviderName": name,
            "ProviderURL": f"https://{name}",
            "UserPoolId": pool,
        },
    )


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    before = {one["Name"] for one in old.get("Schema", ())}
    added = [one for one in new.get("Schema", ()) if one["Name"] not in before]
    if added:
        await ctx.call(
            "cognito-idp", "AddCustomAttributes", UserPoolId=physical_id, CustomAttributes=added
        )
    settings = {name: v for name, v in _settings(new).items() if name not in _FIXED}
    await ctx.call(
        "cognito-idp",
        "UpdateUserPool",
        UserPoolId=physical_id,
        UserPoolTags=_tags(new, draft),
        **({"PoolName": new["UserPoolName"]} if "UserPoolName" in new else {}),
        **settings,
    )
    await _set_factors(ctx, physical_id, new)
    return _provisioned(ctx, physical_id)


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    try:
        await ctx.call("cognito-idp", "DeleteUserPool", UserPoolId=physical_id)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise


async def _read(ctx: Context, physical_id: str, props: Props) -> Props | None:
    try:
        found: Mapping[str, Any] = (
            await ctx.call("cognito-idp", "DescribeUserPool", UserPoolId=physical_id)
        )["UserPool"]
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return None
        raise
    live = {name: found[name] for name in props if name in found and name != "UserPoolTags"}
    if "UserPoolName" in props:
        live["UserPoolName"] = found["Name"]
    return live


USER_POOL = ResourceType(
    "AWS::Cognito::UserPool",
    struct(_PROPERTIES),
    create=_create,
    update=_update,
    delete=_delete,
    read=_read,
    replace_on=frozenset(_FIXED),
    attributes=frozenset({"Arn", "ProviderName", "ProviderURL", "UserPoolId"}),
)
