"""Inline code of a template as a package, with the response module that AWS adds. Pure.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-lambda-function-code-cfnresponsemodule.html
"""

from __future__ import annotations

import io
import zipfile

from cumulet.services.lambda_.errors import InvalidParameterValueException

_SAME_TIME = (1980, 1, 1, 0, 0, 0)
"""The time of every entry, so that the same text is the same package."""

_PYTHON = '''\
"""Tells CloudFormation how a custom resource's request ended."""
import json
import urllib.request

SUCCESS = "SUCCESS"
FAILED = "FAILED"


def send(event, context, responseStatus, responseData,
         physicalResourceId=None, noEcho=False, reason=None):
    """Put the answer where the event says; what goes wrong is printed, not raised."""
    stream = context.log_stream_name
    answer = {
        "Status": responseStatus,
        "Reason": reason or "See the details in CloudWatch Log Stream: " + stream,
        "PhysicalResourceId": physicalResourceId or stream,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "NoEcho": noEcho,
        "Data": responseData,
    }
    request = urllib.request.Request(
        event["ResponseURL"],
        data=json.dumps(answer).encode(),
        headers={"content-type": ""},
        method="PUT",
    )
    try:
        with urllib.request.urlopen(request) as response:
            print("cfnresponse: status", response.status)
    except Exception as error:
        print("cfnresponse: the answer could not be sent:", error)
'''

_NODE = """\
// Tells CloudFormation how a custom resource's request ended.
const transports = { "http:": require("http"), "https:": require("https") };

exports.SUCCESS = "SUCCESS";
exports.FAILED = "FAILED";

exports.send = function (event, context, status, data, physicalResourceId, noEcho) {
  return new Promise((resolve, reject) => {
    const stream = context.logStreamName;
    const body = JSON.stringify({
      Status: status,
      Reason: "See the details in CloudWatch Log Stream: " + stream,
      PhysicalResourceId: physicalResourceId || stream,
      StackId: event.StackId,
      RequestId: event.RequestId,
      LogicalResourceId: event.LogicalResourceId,
      NoEcho: noEcho || false,
      Data: data,
    });
    const url = new URL(event.ResponseURL);
    const headers = { "content-type": "", "content-length": Buffer.byteLength(body) };
    const request = transports[url.protocol].request(url, { method: "PUT", headers }, (answer) => {
      console.log("cfn-response: status " + answer.statusCode);
      answer.resume();
      resolve(context.done());
    });
    request.on("error", (error) => {
      console.log("cfn-response: the answer could not be sent: " + error);
      reject(context.done(error));
    });
    request.end(body);
  });
};
"""


def package_of(text: str, runtime: str) -> bytes:
    """The zip of an inline function: `index` in the runtime's language, and the response module.

    Raises InvalidParameterValueException for runtimes that take no inline code.
    """
    if runtime.startswith("python"):
        files = {"index.py": text, "cfnresponse.py": _PYTHON}
    elif runtime.startswith("nodejs"):
        # Found by `require("cfn-response")` and by `require("./cfn-response")`.
        files = {
            "index.js": text,
            "cfn-response.js": _NODE,
            "node_modules/cfn-response.js": _NODE,
        }
    else:
        raise InvalidParameterValueException(
            "ZipFile can only be used when Runtime is set to either of Node.js or Python."
        )
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _SAME_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)
    return sink.getvalue()
