"""CloudFormation types of IAM."""

from __future__ import annotations

from cumulet.services.iam.resources.access import ACCESS_TYPES
from cumulet.services.iam.resources.entities import ENTITY_TYPES
from cumulet.services.iam.resources.policies import POLICY_TYPES

RESOURCES = (*ENTITY_TYPES, *POLICY_TYPES, *ACCESS_TYPES)
