"""The custom resource that makes the key of tokens: a secure parameter with a random value.

The key is in no template and in no log. Whoever overwrites the parameter ends all tokens.
"""

import secrets

import boto3
from reply import answering

KEY_BYTES = 48


def make(event):
    """The parameter's name, when it is there or gone, as the event asks."""
    name = event["ResourceProperties"]["Name"]
    ssm = boto3.client("ssm")
    if event["RequestType"] == "Delete":
        try:
            ssm.delete_parameter(Name=event["PhysicalResourceId"])
        except ssm.exceptions.ParameterNotFound:
            print("the key is gone already")
        return event["PhysicalResourceId"]
    try:
        ssm.put_parameter(
            Name=name,
            Description="What the tokens of the media upload are signed with",
            Type="SecureString",
            Value=secrets.token_urlsafe(KEY_BYTES),
        )
    except ssm.exceptions.ParameterAlreadyExists:
        print("the key is kept")
    return name


handler = answering(make)
