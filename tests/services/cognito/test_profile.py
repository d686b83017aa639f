"""What users do with their own accounts: attributes, passwords, deletion."""

from __future__ import annotations

from typing import Any

from tests.services.cognito.client import PASSWORD, Pool, make_pool, name, refusal


def mine(pool: Pool, token: str) -> dict[str, str]:
    shown = pool.anyone.get_user(AccessToken=token)["UserAttributes"]
    return {one["Name"]: one["Value"] for one in shown}


def listed(**attributes: str) -> list[dict[str, str]]:
    return [{"Name": key, "Value": value} for key, value in attributes.items()]


def test_a_new_address_is_proved_with_its_own_code(pool: Pool) -> None:
    first, second = (f"{name()}@example.com" for _ in range(2))
    user = pool.user(email=first, email_verified="true")
    token = pool.tokens(user)["AccessToken"]
    sent = pool.anyone.update_user_attributes(
        AccessToken=token, UserAttributes=listed(email=second, nickname="Nick")
    )["CodeDeliveryDetailsList"]
    assert [one["AttributeName"] for one in sent] == ["email"]
    found = mine(pool, token)
    assert (found["email"], found["email_verified"], found["nickname"]) == (
        second,
        "false",
        "Nick",
    )
    given = {"AccessToken": token, "AttributeName": "email"}
    pool.anyone.verify_user_attribute(Code=pool.code(second), **given)
    assert mine(pool, token)["email_verified"] == "true"


def test_a_code_proves_only_the_address_that_it_went_to(cloud: Any) -> None:
    pool = make_pool(cloud)
    user = pool.user(email="own@example.com")
    token = pool.tokens(user)["AccessToken"]
    given = {"AccessToken": token, "AttributeName": "email"}
    pool.anyone.get_user_attribute_verification_code(**given)
    code = pool.code("own@example.com")
    pool.anyone.update_user_attributes(
        AccessToken=token, UserAttributes=listed(email="anothers@example.com")
    )
    assert refusal(pool.anyone.verify_user_attribute, Code=code, **given)[0] == (
        "CodeMismatchException"
    )
    assert mine(pool, token)["email_verified"] == "false"
    pool.admin.delete_user_pool(UserPoolId=pool.id)


def test_an_address_may_stay_until_the_new_one_is_proved(cloud: Any) -> None:
    pool = make_pool(
        cloud,
        AutoVerifiedAttributes=["email"],
        UserAttributeUpdateSettings={"AttributesRequireVerificationBeforeUpdate": ["email"]},
    )
    user = pool.user(email="old@example.com", email_verified="true")
    token = pool.tokens(user)["AccessToken"]
    pool.anyone.update_user_attributes(
        AccessToken=token, UserAttributes=listed(email="new@example.com")
    )
    assert mine(pool, token)["email"] == "old@example.com"
    pool.anyone.verify_user_attribute(
        AccessToken=token, AttributeName="email", Code=pool.code("new@example.com")
    )
    found = mine(pool, token)
    assert (found["email"], found["email_verified"]) == ("new@example.com", "true")
    pool.admin.delete_user_pool(UserPoolId=pool.id)


def test_attributes_are_held_against_the_schema_and_the_client(cloud: Any) -> None:
    pool = make_pool(
        cloud,
        {"WriteAttributes": ["email", "custom:level"], "ReadAttributes": ["custom:level"]},
        Schema=[
            {
                "Name": "level",
                "AttributeDataType": "Number",
                "Mutable": True,
                "NumberAttributeConstraints": {"MinValue": "1", "MaxValue": "9"},
            },
            {"Name": "team", "AttributeDataType": "String", "Mutable": False},
            {
                "Name": "note",
                "AttributeDataType": "String",
                "DeveloperOnlyAttribute": True,
                "Mutable": True,
            },
        ],
    )
    user = pool.user(**{"custom:level": "3", "custom:team": "red", "email": "a@example.com"})
    token = pool.tokens(user)["AccessToken"]
    assert set(mine(pool, token)) == {"sub", "custom:level"}
    update = pool.anyone.update_user_attributes

    def refused(**attributes: str) -> tuple[str, str]:
        return refusal(update, AccessToken=token, UserAttributes=listed(**attributes))

    assert refused(nickname="N") == (
        "NotAuthorizedException",
        "A client attempted to write unauthorized attribute",
    )
    assert refused(email_verified="true")[0] == "NotAuthorizedException"
    code, message = refused(**{"custom:level": "10"})
    assert code == "InvalidParameterException"
    assert message.startswith("Attributes did not conform to the schema: custom:level: ")
    assert refused(email="nonsense") == (
        "InvalidParameterException",
        "Invalid email address format.",
    )
    admin = {"UserPoolId": pool.id, "Username": user}
    assert refusal(
        pool.admin.admin_update_user_attributes,
        UserAttributes=listed(**{"custom:team": "blue"}),
        **admin,
    )[1].endswith("Attribute is not mutable.")
    pool.admin.admin_update_user_attributes(
        UserAttributes=listed(**{"dev:custom:note": "hidden"}), **admin
    )
    shown = pool.admin.admin_get_user(**admin)["UserAttributes"]
    assert {"Name": "dev:custom:note", "Value": "hidden"} in shown
    assert "dev:custom:note" not in mine(pool, token)
    pool.anyone.delete_user_attributes(AccessToken=token, UserAttributeNames=["custom:level"])
    assert "custom:level" not in mine(pool, token)
    pool.admin.delete_user_pool(UserPoolId=pool.id)


def test_a_password_is_changed_by_who_knows_it(pool: Pool) -> None:
    user = pool.user()
    token = pool.tokens(user)["AccessToken"]
    change = {"AccessToken": token, "ProposedPassword": "Another-Horse-8"}
    assert refusal(pool.anyone.change_password, PreviousPassword="Wrong-1-x", **change) == (
        "NotAuthorizedException",
        "Incorrect username or password.",
    )
    pool.anyone.change_password(PreviousPassword=PASSWORD, **change)
    assert refusal(pool.srp, user)[0] == "NotAuthorizedException"
    assert "AuthenticationResult" in pool.srp(user, "Another-Horse-8")


def test_a_forgotten_password_is_replaced_with_a_code(pool: Pool) -> None:
    email = f"{name()}@example.com"
    user = pool.user(email=email, email_verified="true")
    sent = pool.anyone.forgot_password(ClientId=pool.client, Username=user)
    assert sent["CodeDeliveryDetails"]["DeliveryMedium"] == "EMAIL"
    confirm = {"ClientId": pool.client, "Username": user, "Password": "Another-Horse-8"}
    code = pool.code(email)
    pool.anyone.confirm_forgot_password(ConfirmationCode=code, **confirm)
    assert "AuthenticationResult" in pool.srp(user, "Another-Horse-8")
    assert refusal(pool.anyone.confirm_forgot_password, ConfirmationCode=code, **confirm) == (
        "ExpiredCodeException",
        "Invalid code provided, please request a code again.",
    )
    assert refusal(pool.anyone.forgot_password, ClientId=pool.client, Username=pool.user())[
        1
    ].startswith("Cannot reset password for the user as there is no registered/verified")


def test_a_reset_by_an_administrator_stops_the_password(pool: Pool) -> None:
    email = f"{name()}@example.com"
    user = pool.user(email=email, email_verified="true")
    pool.admin.admin_reset_user_password(UserPoolId=pool.id, Username=user)
    assert refusal(pool.sign_in, user) == (
        "PasswordResetRequiredException",
        "Password reset required for the user",
    )
    pool.anyone.confirm_forgot_password(
        ClientId=pool.client,
        Username=user,
        Password="Another-Horse-8",
        ConfirmationCode=pool.code(email),
    )
    assert "AuthenticationResult" in pool.sign_in(user, "Another-Horse-8")


def test_an_account_is_deleted_by_its_owner(pool: Pool) -> None:
    user = pool.user()
    token = pool.tokens(user)["AccessToken"]
    pool.anyone.delete_user(AccessToken=token)
    assert refusal(pool.anyone.get_user, AccessToken=token)[0] == "UserNotFoundException"
    assert refusal(pool.sign_in, user)[0] == "UserNotFoundException"
