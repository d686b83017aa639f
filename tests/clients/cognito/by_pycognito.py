"""pycognito as its own documentation uses it; prints what it found as JSON."""

import json
import os
import sys

from pycognito import Cognito

told = os.environ


def cognito() -> Cognito:
    return Cognito(
        told["POOL"], told["CLIENT"], client_secret=told["SECRET"], username=told["NAME"]
    )


def refusal(call, *words):
    try:
        call(*words)
    except Exception as error:
        return type(error).__name__
    return "not refused"


if sys.argv[1] == "sign-up":
    one = cognito()
    one.set_base_attributes(email=told["EMAIL"])
    one.register(told["NAME"], told["PASSWORD"])
    sys.exit()

one = cognito()
one.confirm_sign_up(told["CODE"])
found = {"wrong": refusal(cognito().authenticate, "Wrong-Horse-7")}
one.authenticate(password=told["PASSWORD"])
found["id"] = one.id_token
# It verifies signature, audience and issuer by itself, and did so when it signed in.
found["verified"] = one.verify_token(one.access_token, "access_token", "access")
found["email"] = one.get_user().email
before = one.access_token
one.renew_access_token()
found["renewed"] = one.access_token != before
one.change_password(told["PASSWORD"], "Another-Horse-8")
one.authenticate(password="Another-Horse-8")
found["changed"] = "Another-Horse-8"
one.logout()
other = cognito()
other.authenticate(password="Another-Horse-8")
token = other.access_token
other.client.global_sign_out(AccessToken=token)
found["after sign-out"] = refusal(lambda: other.client.get_user(AccessToken=token))
print(json.dumps(found))
