"""The CloudFormation types of CloudWatch and its logs."""

from __future__ import annotations

from cumulet.services.cloudwatch.resources import alarm, log_group

LOGS_RESOURCES = log_group.RESOURCES
METRICS_RESOURCES = alarm.RESOURCES
