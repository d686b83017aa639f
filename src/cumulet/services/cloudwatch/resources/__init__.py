"""The CloudFormation types of CloudWatch and its logs."""

from __future__ import annotations

from cumulet.services.cloudwatch.resources import log_group

LOGS_RESOURCES = log_group.RESOURCES
