"""How a function that makes a custom resource answers CloudFormation."""

import json
import traceback
import urllib.request


def answering(make):
    """A handler that tells CloudFormation what `make(event)` returned, or why it failed.

    `make` returns the resource's physical id.
    """

    def handler(event, context):
        known = event.get("PhysicalResourceId") or context.log_stream_name
        try:
            told = {"Status": "SUCCESS", "PhysicalResourceId": make(event)}
        except Exception as cause:
            traceback.print_exc()
            told = {"Status": "FAILED", "PhysicalResourceId": known, "Reason": repr(cause)}
        members = ("StackId", "RequestId", "LogicalResourceId")
        body = json.dumps({**told, **{name: event[name] for name in members}}).encode()
        # The address is signed for a request without a content type.
        request = urllib.request.Request(
            event["ResponseURL"], data=body, method="PUT", headers={"Content-Type": ""}
        )
        with urllib.request.urlopen(request, timeout=30):
            pass

    return handler
