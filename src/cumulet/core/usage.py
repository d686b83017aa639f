"""What AWS would have charged for: dimensions of usage, by the names that its bills give them.

Prices are not here: they belong to `services/ce`.
"""

from __future__ import annotations

from typing import NamedTuple

from cumulet.core.identity import Scope

GIB = 1_073_741_824
BLOCK_BYTES = 65_536
"""What one request of SQS, SNS or EventBridge carries; a larger one counts as several."""


class Dimension(NamedTuple):
    """One thing that a bill counts: the names of the service, of the usage type and the operation.

    `usage_type` is without the prefix that AWS gives it in most regions (`EU-`). Amounts are in
    `unit`; one that ends in `-Mo` is counted for a whole month, and pro rata for a part of it.
    """

    service: str
    usage_type: str
    operation: str
    unit: str

    @property
    def is_monthly(self) -> bool:
        """Whether one unit is held for a month."""
        return self.unit.endswith("-Mo")


class Used(NamedTuple):
    """How much of a dimension one resource used in one region."""

    region: str
    resource: str
    dimension: Dimension
    amount: float


class Holding(NamedTuple):
    """What a resource holds at this moment, and so uses as time passes: bytes, alarms, capacity.

    `quantity` is in the dimension's unit, without the time: GB for `GB-Mo`, units for `…-Hrs`.
    """

    scope: Scope
    resource: str
    dimension: Dimension
    quantity: float


def blocks(size_bytes: int, block_bytes: int = BLOCK_BYTES) -> int:
    """As how many requests a request of that size counts: one for each block begun, at least one.

    https://aws.amazon.com/sqs/pricing/
    """
    return max(1, -(-size_bytes // block_bytes))


_LAMBDA = "AWS Lambda"
LAMBDA_REQUESTS = Dimension(_LAMBDA, "Request", "Invoke", "Requests")
LAMBDA_GB_SECONDS = Dimension(_LAMBDA, "Lambda-GB-Second", "Invoke", "Lambda-GB-Second")
LAMBDA_REQUESTS_ARM = Dimension(_LAMBDA, "Request-ARM", "Invoke", "Requests")
LAMBDA_GB_SECONDS_ARM = Dimension(_LAMBDA, "Lambda-GB-Second-ARM", "Invoke", "Lambda-GB-Second")
LAMBDA_STORAGE_SECONDS = Dimension(
    _LAMBDA, "Lambda-Storage-GB-Second", "Invoke", "Lambda-GB-Second"
)

_GATEWAY = "Amazon API Gateway"
REST_REQUESTS = Dimension(_GATEWAY, "ApiGatewayRequest", "ApiGatewayRequest", "Requests")
HTTP_REQUESTS = Dimension(_GATEWAY, "ApiGatewayHttpRequest", "ApiGatewayHttpApi", "Requests")
SOCKET_MESSAGES = Dimension(_GATEWAY, "ApiGatewayMessage", "ApiGatewayWebSocket", "Messages")
SOCKET_MINUTES = Dimension(_GATEWAY, "ApiGatewayMinute", "ApiGatewayWebSocket", "Minutes")
HTTP_BLOCK_BYTES = 512 * 1024
SOCKET_BLOCK_BYTES = 32 * 1024
"""https://aws.amazon.com/api-gateway/pricing/"""

_DYNAMODB = "Amazon DynamoDB"
_ON_DEMAND = "PayPerRequestThroughput"
_COMMITTED = "CommittedThroughput"
READ_UNITS = Dimension(_DYNAMODB, "ReadRequestUnits", _ON_DEMAND, "ReadRequestUnits")
WRITE_UNITS = Dimension(_DYNAMODB, "WriteRequestUnits", _ON_DEMAND, "WriteRequestUnits")
READ_CAPACITY = Dimension(_DYNAMODB, "ReadCapacityUnit-Hrs", _COMMITTED, "ReadCapacityUnit-Hrs")
WRITE_CAPACITY = Dimension(_DYNAMODB, "WriteCapacityUnit-Hrs", _COMMITTED, "WriteCapacityUnit-Hrs")
TABLE_STORAGE = Dimension(_DYNAMODB, "TimedStorage-ByteHrs", "StandardStorage", "GB-Mo")
TABLE_RECOVERY = Dimension(_DYNAMODB, "TimedPITRStorage-ByteHrs", "PITRStorage", "GB-Mo")
TABLE_BACKUPS = Dimension(_DYNAMODB, "TimedBackupStorage-ByteHrs", "BackupStorage", "GB-Mo")
STREAM_READS = Dimension(_DYNAMODB, "Streams-Requests", "GetRecords", "Requests")

_S3 = "Amazon Simple Storage Service"
S3_TIER1 = Dimension(_S3, "Requests-Tier1", "PutObject", "Requests")
S3_TIER2 = Dimension(_S3, "Requests-Tier2", "GetObject", "Requests")
S3_STORAGE = Dimension(_S3, "TimedStorage-ByteHrs", "StandardStorage", "GB-Mo")
S3_OUT = Dimension(_S3, "DataTransfer-Out-Bytes", "GetObject", "GB")

_SQS = "Amazon Simple Queue Service"
SQS_REQUESTS = Dimension(_SQS, "Requests-Tier1", "Requests", "Requests")
SQS_FIFO_REQUESTS = Dimension(_SQS, "Requests-FIFO-Tier1", "Requests", "Requests")

_SNS = "Amazon Simple Notification Service"
SNS_REQUESTS = Dimension(_SNS, "Requests-Tier1", "Publish", "Requests")
SNS_HTTP = Dimension(_SNS, "DeliveryAttempts-HTTP", "Notify", "Notifications")
SNS_EMAIL = Dimension(_SNS, "DeliveryAttempts-SMTP", "Notify", "Notifications")
SNS_QUEUE = Dimension(_SNS, "DeliveryAttempts-SQS", "Notify", "Notifications")
SNS_FUNCTION = Dimension(_SNS, "DeliveryAttempts-LAMBDA", "Notify", "Notifications")
SNS_FIFO_REQUESTS = Dimension(_SNS, "F-Request-Tier1", "Publish", "Requests")

_EVENTS = "CloudWatch Events"
EVENTS = Dimension(_EVENTS, "Event-64K-Chunks", "PutEvents", "64K-Chunks")
SCHEDULED = Dimension(_EVENTS, "ScheduledInvocation", "Scheduler", "Invocations")

_CLOUDWATCH = "AmazonCloudWatch"
LOGS_IN = Dimension(_CLOUDWATCH, "DataProcessing-Bytes", "PutLogEvents", "GB")
LOGS_STORAGE = Dimension(_CLOUDWATCH, "TimedStorage-ByteHrs", "HourlyStorageMetering", "GB-Mo")
LOGS_SCANNED = Dimension(_CLOUDWATCH, "DataScanned-Bytes", "StartQuery", "GB")
CUSTOM_METRICS = Dimension(_CLOUDWATCH, "CW:MetricMonitorUsage", "MetricStorage", "Metrics-Mo")
ALARMS = Dimension(_CLOUDWATCH, "CW:AlarmMonitorUsage", "Unknown", "Alarms-Mo")
FAST_ALARMS = Dimension(_CLOUDWATCH, "CW:HighResAlarmMonitorUsage", "Unknown", "Alarms-Mo")
COMPOSITE_ALARMS = Dimension(_CLOUDWATCH, "CW:CompositeAlarmMonitorUsage", "Unknown", "Alarms-Mo")
DASHBOARDS = Dimension(_CLOUDWATCH, "DashboardsUsageHour", "DashboardHour", "Dashboards-Mo")
METRIC_REQUESTS = Dimension(_CLOUDWATCH, "CW:Requests", "PutMetricData", "Requests")
METRICS_READ = Dimension(_CLOUDWATCH, "CW:GMD-Metrics", "GetMetricData", "Metrics")

_XRAY = "AWS X-Ray"
TRACES_STORED = Dimension(_XRAY, "XRay-TracesStored", "PutTraceSegments", "Traces")
TRACES_READ = Dimension(_XRAY, "XRay-TracesAccessed", "BatchGetTraces", "Traces")

_COGNITO = "Amazon Cognito"
ACTIVE_USERS = Dimension(_COGNITO, "CognitoUserPoolsMAU", "MonthlyActiveUsers", "User-Months")

_BEDROCK = "Amazon Bedrock"


def model_tokens(model: str, *, out: bool) -> Dimension:
    """Tokens that a model was given, or gave."""
    return Dimension(
        _BEDROCK, f"{model}-{'output' if out else 'input'}-tokens", "InvokeModel", "1K tokens"
    )
