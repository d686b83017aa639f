"""The authorizer of a method: lets in who knows the passphrase."""

import hmac
import os


def handler(event, context):
    """Answer the policy for a bearer token. API Gateway keeps it for as long as it was told."""
    given = event["authorizationToken"].removeprefix("Bearer ")
    knows = hmac.compare_digest(given.encode(), os.environ["PASSPHRASE"].encode())
    statement = {
        "Action": "execute-api:Invoke",
        "Effect": "Allow" if knows else "Deny",
        "Resource": event["methodArn"],
    }
    return {
        "principalId": "who-knows-the-passphrase" if knows else "a-stranger",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"door": "front"},
    }
