"""CloudFormation types of Lambda, told through its operations.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Lambda.html
"""

from __future__ import annotations

from cumulet.services.lambda_.resources.function import FUNCTION
from cumulet.services.lambda_.resources.layer import LAYER_VERSION, LAYER_VERSION_PERMISSION
from cumulet.services.lambda_.resources.mapping import RESOURCE as EVENT_SOURCE_MAPPING
from cumulet.services.lambda_.resources.permission import EVENT_INVOKE_CONFIG, PERMISSION, URL
from cumulet.services.lambda_.resources.version import ALIAS, VERSION

RESOURCES = (
    FUNCTION,
    VERSION,
    ALIAS,
    PERMISSION,
    LAYER_VERSION,
    LAYER_VERSION_PERMISSION,
    URL,
    EVENT_INVOKE_CONFIG,
    EVENT_SOURCE_MAPPING,
)
