"""The resource types of CloudFormation itself."""

from __future__ import annotations

from cumulet.kit.resources import ResourceType
from cumulet.services.cloudformation.resources.custom import CUSTOM
from cumulet.services.cloudformation.resources.metadata import CDK_METADATA
from cumulet.services.cloudformation.resources.nested import NESTED
from cumulet.services.cloudformation.resources.wait import WAIT_CONDITION, WAIT_HANDLE

RESOURCES: tuple[ResourceType, ...] = (CDK_METADATA, CUSTOM, NESTED, WAIT_CONDITION, WAIT_HANDLE)
