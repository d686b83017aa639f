"""The settings of pools: what may be set, what goes together, and how pools are described. Pure.

https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPool.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.identity import Scope, parse_arn
from cumulet.services.cognito.errors import (
    FeatureUnavailableInTierException,
    InvalidParameterException,
    InvalidUserPoolConfigurationException,
)
from cumulet.services.cognito.model import Pool, pool_arn
from cumulet.services.cognito.rules.passwords import check_policy
from cumulet.services.cognito.rules.words import CODE, USER

KEPT = (
    *("Policies", "DeletionProtection", "LambdaConfig", "AutoVerifiedAttributes"),
    *("SmsVerificationMessage", "EmailVerificationMessage", "EmailVerificationSubject"),
    *("VerificationMessageTemplate", "SmsAuthenticationMessage", "UserAttributeUpdateSettings"),
    *("MfaConfiguration", "EmailConfiguration", "SmsConfiguration", "AdminCreateUserConfig"),
    *("AccountRecoverySetting", "UserPoolTier", "UserPoolAddOns"),
)
"""What a pool is given and can be changed."""
FIXED = ("AliasAttributes", "UsernameAttributes", "UsernameConfiguration")
"""What only a new pool is given."""
FACTORS = ("SoftwareTokenMfaConfiguration", "EmailMfaConfiguration")
"""What only SetUserPoolMfaConfig sets."""
TRIGGERS = (
    *("PreSignUp", "CustomMessage", "PostConfirmation", "PreAuthentication"),
    *("PostAuthentication", "DefineAuthChallenge", "CreateAuthChallenge"),
    *("VerifyAuthChallengeResponse", "PreTokenGeneration", "UserMigration"),
)
_REFUSED = {
    "DeviceConfiguration": "Device tracking is not supported here: DeviceConfiguration.",
    "DcrConfiguration": "Dynamic client registration is not supported here: DcrConfiguration.",
    "AcrConfiguration": "AcrConfiguration is not supported here.",
}


def read_settings(request: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a request gives, with defaults. Raises what AWS raises.

    What cannot be honoured is refused by name.
    """
    _refuse(request)
    settings = {name: request[name] for name in (*KEPT, *FIXED) if name in request}
    policies = request.get("Policies", {})
    if "PasswordPolicy" in policies:
        policy = check_policy(policies["PasswordPolicy"])
        settings["Policies"] = {**policies, "PasswordPolicy": policy}
    settings.setdefault("MfaConfiguration", "OFF")
    settings.setdefault("DeletionProtection", "INACTIVE")
    settings.setdefault("EmailConfiguration", {"EmailSendingAccount": "COGNITO_DEFAULT"})
    settings.setdefault("UserPoolTier", "ESSENTIALS")
    invite = settings.get("AdminCreateUserConfig", {})
    given = policies.get("PasswordPolicy", {})
    if "UnusedAccountValidityDays" in invite and "TemporaryPasswordValidityDays" in given:
        raise InvalidParameterException(
            "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of "
            "UnusedAccountValidityDays"
        )
    settings["AdminCreateUserConfig"] = {"AllowAdminCreateUserOnly": False, **invite}
    settings["LambdaConfig"] = _functions(request.get("LambdaConfig", {}))
    template = settings.get("VerificationMessageTemplate", {})
    settings["VerificationMessageTemplate"] = {
        "DefaultEmailOption": "CONFIRM_WITH_CODE",
        **template,
    }
    _check_together(settings)
    return settings


def _refuse(request: Mapping[str, Any]) -> None:
    for name, text in _REFUSED.items():
        if request.get(name):
            raise InvalidParameterException(text)
    if request.get("UserPoolAddOns", {}).get("AdvancedSecurityMode", "OFF") != "OFF":
        raise InvalidParameterException("Threat protection is not supported here: UserPoolAddOns.")
    if request.get("UserPoolTier") == "PLUS":
        raise FeatureUnavailableInTierException("The PLUS tier is not supported here.")
    if request.get("KeyConfiguration", {}).get("KeyType", "AWS_OWNED_KEY") != "AWS_OWNED_KEY":
        raise InvalidParameterException("Customer managed keys are not supported here.")
    if request.get("IssuerConfiguration", {}).get("Type", "ORIGINAL") != "ORIGINAL":
        raise InvalidParameterException("IssuerConfiguration UPDATED is not supported here.")
    first = request.get("Policies", {}).get("SignInPolicy", {}).get("AllowedFirstAuthFactors", [])
    if set(first) - {"PASSWORD"}:
        raise InvalidParameterException("First factors other than PASSWORD are not supported here.")
    if request.get("EmailConfiguration", {}).get("ConfigurationSet"):
        raise InvalidParameterException("ConfigurationSet is not supported here.")
    if request.get("SmsConfiguration", {}).get("EumsSms"):
        raise InvalidParameterException("EumsSms is not supported here.")
    functions = request.get("LambdaConfig", {})
    for name in ("CustomSMSSender", "CustomEmailSender", "KMSKeyID", "InboundFederation"):
        if functions.get(name):
            raise InvalidParameterException(f"LambdaConfig {name} is not supported here.")


def _functions(given: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: given[name] for name in TRIGGERS if given.get(name)}
    configured = given.get("PreTokenGenerationConfig")
    if configured:
        if configured["LambdaVersion"] == "V3_0":
            raise InvalidParameterException("PreTokenGeneration V3_0 is not supported here.")
        if found.get("PreTokenGeneration", configured["LambdaArn"]) != configured["LambdaArn"]:
            raise InvalidParameterException(
                "PreTokenGeneration and PreTokenGenerationConfig must name the same function."
            )
        found["PreTokenGenerationConfig"] = dict(configured)
        found["PreTokenGeneration"] = configured["LambdaArn"]
    elif "PreTokenGeneration" in found:
        arn = found["PreTokenGeneration"]
        found["PreTokenGenerationConfig"] = {"LambdaVersion": "V1_0", "LambdaArn": arn}
    for name in TRIGGERS:
        parsed = parse_arn(found[name]) if name in found else None
        if name in found and (parsed is None or parsed.service != "lambda"):
            raise InvalidParameterException(f"{name} is not the ARN of a function.")
    return found


def _check_together(settings: Mapping[str, Any]) -> None:
    if settings.get("AliasAttributes") and settings.get("UsernameAttributes"):
        raise InvalidParameterException(
            "Only one of the aliasAttributes or usernameAttributes can be set in a user pool."
        )
    needs_sms = "phone_number" in settings.get("AutoVerifiedAttributes", ())
    if needs_sms and not settings.get("SmsConfiguration"):
        raise InvalidParameterException(
            "SMS configuration and Auto verification for phone_number are required when the phone "
            "number is verified."
        )
    sms = settings.get("SmsConfiguration")
    if sms is not None and not sms.get("SnsCallerArn"):
        raise InvalidParameterException("SnsCallerArn is required in SmsConfiguration.")
    for name in ("EmailVerificationMessage", "SmsVerificationMessage", "SmsAuthenticationMessage"):
        if name in settings and CODE not in settings[name]:
            raise InvalidParameterException(f"{name} must contain {CODE}.")
    for name, text in (
        settings.get("AdminCreateUserConfig", {}).get("InviteMessageTemplate", {}).items()
    ):
        if name != "EmailSubject" and not (CODE in text and USER in text):
            raise InvalidParameterException(f"{name} must contain {USER} and {CODE}.")
    updates = settings.get("UserAttributeUpdateSettings", {})
    for name in updates.get("AttributesRequireVerificationBeforeUpdate", ()):
        if name not in settings.get("AutoVerifiedAttributes", ()):
            raise InvalidParameterException(
                "AttributesRequireVerificationBeforeUpdate must be auto-verified attributes."
            )


def check_factors(settings: Mapping[str, Any]) -> None:
    """Raise unless a pool that wants a second factor has one."""
    if settings.get("MfaConfiguration", "OFF") == "OFF":
        return
    has_totp = settings.get("SoftwareTokenMfaConfiguration", {}).get("Enabled")
    if has_totp or settings.get("SmsConfiguration") or "EmailMfaConfiguration" in settings:
        return
    raise InvalidUserPoolConfigurationException(
        "A second factor is needed: SMS, software token or email."
    )


def factors_of(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The second factors that a pool offers, as challenges are named."""
    found = []
    if settings.get("SoftwareTokenMfaConfiguration", {}).get("Enabled"):
        found.append("SOFTWARE_TOKEN_MFA")
    if settings.get("SmsConfiguration"):
        found.append("SMS_MFA")
    if "EmailMfaConfiguration" in settings:
        found.append("EMAIL_OTP")
    return tuple(found)


def pool_view(scope: Scope, pool: Pool, users: int = 0, domain: str = "") -> dict[str, Any]:
    """A pool as DescribeUserPool shows it."""
    shown = {name: value for name, value in pool.settings.items() if name not in FACTORS}
    policies = dict(shown.get("Policies", {}))
    if "PasswordPolicy" not in policies:
        policies["PasswordPolicy"] = {
            **check_policy({}),
            **{f"Require{word}": True for word in ("Uppercase", "Lowercase", "Numbers", "Symbols")},
        }
    policies.setdefault("SignInPolicy", {"AllowedFirstAuthFactors": ["PASSWORD"]})
    return {
        **shown,
        "Id": pool.id,
        "Name": pool.name,
        "Arn": pool_arn(scope, pool.id),
        "Policies": policies,
        "SchemaAttributes": list(pool.schema.values()),
        "EstimatedNumberOfUsers": users,
        "CreationDate": pool.created,
        "LastModifiedDate": pool.modified,
        "UserPoolTags": pool.tags,
        **({"Domain": domain} if domain else {}),
    }


def factors_view(pool: Pool) -> dict[str, Any]:
    """A pool's second factors as GetUserPoolMfaConfig shows them."""
    settings = pool.settings
    found: dict[str, Any] = {name: settings[name] for name in FACTORS if name in settings}
    if "SmsConfiguration" in settings:
        found["SmsMfaConfiguration"] = {
            **(
                {"SmsAuthenticationMessage": settings["SmsAuthenticationMessage"]}
                if "SmsAuthenticationMessage" in settings
                else {}
            ),
            "SmsConfiguration": settings["SmsConfiguration"],
        }
    return {**found, "MfaConfiguration": settings.get("MfaConfiguration", "OFF")}
