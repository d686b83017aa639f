"""The bounds of CloudFormation, AWS's own where it has one.

Quotas follow
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""

from __future__ import annotations

TEMPLATE_INLINE_BYTES_MAX = 51_200
"""A template in the request itself."""
TEMPLATE_BYTES_MAX = 1_048_576
"""A template in S3; also what transforms may make of one."""
TEMPLATE_DEPTH_MAX = 100
"""Nesting of maps and lists; AWS does not document its own."""
STACK_NAME_LENGTH_MAX = 128
RESOURCES_MAX = 500
PARAMETERS_MAX = 200
MAPPINGS_MAX = 200
OUTPUTS_MAX = 200
PARAMETER_BYTES_MAX = 4_096
DESCRIPTION_BYTES_MAX = 1_024
INCLUDE_DEPTH_MAX = 8
"""How deep `AWS::Include` snippets may include further snippets; AWS allows none, we allow few."""
FOR_EACH_ITEMS_MAX = 10_000
"""What `Fn::ForEach` may write in total."""

STACKS_MAX = 2_000
"""Stacks that one scan looks at: those in progress, those that import an export."""
CHANGE_SETS_MAX = 1_000
"""Change sets of one stack."""
TAGS_MAX = 50
DELETED_SECONDS_KEPT = 90 * 86_400.0
"""For how long a deleted stack is still described by its ARN; 90 days on AWS."""
SWEEP_SECONDS = 3_600.0
SWEEP_STACKS_MAX = 20
"""Deleted stacks that one transaction forgets."""
EVENTS_KEPT_MAX = 2_000
"""Events of one stack; the oldest go first."""
PAGE_ITEMS = 100
"""Items of one answer before a NextToken is given."""

PARALLEL_STEPS_MAX = 8
"""Resources of one stack that are worked on at the same time."""
PARALLEL_STACKS_MAX = 32
"""Stacks that are worked on at the same time by one process; further ones wait."""
NESTED_DEPTH_MAX = 5
STEP_SECONDS_MAX = 4 * 3600.0
"""What one resource may take before its step counts as failed."""

CUSTOM_SECONDS_DEFAULT = 3_600.0
"""How long a custom resource may take to answer, unless its ServiceTimeout says less."""
CUSTOM_RESPONSE_BYTES_MAX = 4_096
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html"""
WAIT_SECONDS_MAX = 43_200
"""The longest Timeout of a wait condition."""
SIGNALS_MAX = 1_000
"""Signals that one wait condition keeps."""
LOOK_AGAIN_SECONDS = 1.0
"""How often a waiting step looks into the store, should the wake-up be lost."""

SAM_SECONDS_MAX = 60.0
SAM_MEMORY_BYTES_MAX = 1_500_000_000
SAM_OUTPUT_BYTES_MAX = 8_000_000
"""Bounds of the process that expands a serverless template."""
