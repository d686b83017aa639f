"""The names that SQS has in the older query protocol, which its model no longer tells.

The JSON names stay as they are. Names: the query examples of the SQS API reference,
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from typing import Any

from cumulet.wire.model import Raw

XML_NAMESPACE = "http://queue.amazonaws.com/doc/2012-11-05/"

_MEMBER_NAMES = {
    "AWSAccountIds": "AWSAccountId",
    "Actions": "ActionName",
    "AttributeNames": "AttributeName",
    "Attributes": "Attribute",
    "MessageAttributeNames": "MessageAttributeName",
    "MessageAttributes": "MessageAttribute",
    "MessageSystemAttributeNames": "MessageSystemAttributeName",
    "MessageSystemAttributes": "MessageSystemAttribute",
    "Messages": "Message",
    "QueueUrls": "QueueUrl",
    "Results": "Result",
    "TagKeys": "TagKey",
    "Tags": "Tag",
    "queueUrls": "QueueUrl",
    "tags": "Tag",
}
_LIST_NAMES_BY_SHAPE = {
    "BatchResultErrorEntryList": "BatchResultErrorEntry",
    "ChangeMessageVisibilityBatchRequestEntryList": "ChangeMessageVisibilityBatchRequestEntry",
    "ChangeMessageVisibilityBatchResultEntryList": "ChangeMessageVisibilityBatchResultEntry",
    "DeleteMessageBatchRequestEntryList": "DeleteMessageBatchRequestEntry",
    "DeleteMessageBatchResultEntryList": "DeleteMessageBatchResultEntry",
    "SendMessageBatchRequestEntryList": "SendMessageBatchRequestEntry",
    "SendMessageBatchResultEntryList": "SendMessageBatchResultEntry",
    "StringList": "StringListValue",
    "BinaryList": "BinaryListValue",
}
_PREFIXED_CODES = {
    "BatchEntryIdsNotDistinct": "BatchEntryIdsNotDistinct",
    "BatchRequestTooLong": "BatchRequestTooLong",
    "EmptyBatchRequest": "EmptyBatchRequest",
    "InvalidBatchEntryId": "InvalidBatchEntryId",
    "MessageNotInflight": "MessageNotInflight",
    "PurgeQueueInProgress": "PurgeQueueInProgress",
    "QueueDeletedRecently": "QueueDeletedRecently",
    "QueueDoesNotExist": "NonExistentQueue",
    "TooManyEntriesInBatchRequest": "TooManyEntriesInBatchRequest",
    "UnsupportedOperation": "UnsupportedOperation",
}
_OTHER_CODES = {
    "KmsAccessDenied": "KMS.AccessDeniedException",
    "KmsDisabled": "KMS.DisabledException",
    "KmsInvalidKeyUsage": "KMS.InvalidKeyUsageException",
    "KmsInvalidState": "KMS.InvalidStateException",
    "KmsNotFound": "KMS.NotFoundException",
    "KmsOptInRequired": "KMS.OptInRequired",
    "KmsThrottled": "KMS.ThrottlingException",
    "QueueNameExists": "QueueAlreadyExists",
    "InvalidParameterValueException": "InvalidParameterValue",
    "MissingRequiredParameterException": "MissingParameter",
}
_UNTOLD_ERRORS = ("InvalidParameterValueException", "MissingRequiredParameterException")
"""Errors that SQS answers and its model does not have."""
ERROR_CODES = {
    **{name: f"AWS.SimpleQueueService.{code}" for name, code in _PREFIXED_CODES.items()},
    **_OTHER_CODES,
}
"""Error shapes → the codes that query clients know, where they are not the same."""

_TAG_MAPS = ("TagMap",)


def with_query_names(raw: Raw) -> Raw:
    """The model with `queryName` traits, flattened lists and maps, and result wrappers."""
    untold = {name: {"type": "structure", "exception": True} for name in _UNTOLD_ERRORS}
    every = {**raw["shapes"], **untold}
    shapes = {name: _shape(name, shape) for name, shape in every.items()}
    operations = {name: _operation(name, one) for name, one in raw["operations"].items()}
    return {**raw, "shapes": shapes, "operations": operations}


def with_query_metadata(metadata: Raw) -> Raw:
    """The metadata with the query protocol beside JSON, and its XML namespace."""
    return {**metadata, "xmlNamespace": XML_NAMESPACE, "protocols": ["json", "query"]}


def _shape(name: str, shape: dict[str, Any]) -> dict[str, Any]:
    if shape.get("exception"):
        code = ERROR_CODES.get(name, name)
        shape = {**shape, "error": {"code": code, "httpStatusCode": 400, "senderFault": True}}
    if shape["type"] == "map":
        key, value = ("Key", "Value") if name in _TAG_MAPS else ("Name", "Value")
        return {
            **shape,
            "flattened": True,
            "key": {**shape["key"], "queryName": key},
            "value": {**shape["value"], "queryName": value},
        }
    if shape["type"] == "list":
        return {**shape, "flattened": True}
    members = shape.get("members")
    if not members:
        return shape
    return {**shape, "members": {key: _member(key, ref) for key, ref in members.items()}}


def _member(name: str, ref: dict[str, Any]) -> dict[str, Any]:
    query_name = _LIST_NAMES_BY_SHAPE.get(ref["shape"]) or _MEMBER_NAMES.get(name)
    return {**ref, "queryName": query_name} if query_name else ref


def _operation(name: str, operation: dict[str, Any]) -> dict[str, Any]:
    if "output" not in operation:
        return operation
    return {**operation, "output": {**operation["output"], "resultWrapper": f"{name}Result"}}
