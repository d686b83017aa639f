"""The CloudFormation types of CloudWatch and its logs."""

from __future__ import annotations

from cumulet.services.cloudwatch.resources import alarm, dashboard, log_filter, log_group

LOGS_RESOURCES = (*log_group.RESOURCES, *log_filter.RESOURCES)
METRICS_RESOURCES = (*alarm.RESOURCES, *dashboard.RESOURCES)
