"""Numbers of hosts, each with its reason or link."""

from __future__ import annotations

HOSTS_MAX = 1_000
"""Hosts of one account and region."""
NAME_MAX = 128
TAGS_MAX = 50
COMMAND_CHARACTERS_MAX = 2_000
REACH_SECONDS = 3.0
"""How long a host may take to answer on its port before it counts as stopped."""
ADDRESS_SECONDS = 10.0
"""How long a command that finds an address may run."""
POWER_SECONDS = 120.0
"""How long a command that starts or stops a host may run."""
FRESH_SECONDS = 5.0
"""For how long what was found of a host is told again without looking."""
LOOKS_AT_ONCE = 32
OUTPUT_BYTES_MAX = 65_536
"""Bytes of an owner's command's output that are read."""

# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html
SHOWN_CHARACTERS_MAX = 24_000
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html
INSTANCES_MAX = 50
DELIVERY_SECONDS_DEFAULT = 3_600
EXECUTION_SECONDS_DEFAULT = 3_600
EXECUTION_SECONDS_MAX = 172_800
SCRIPT_BYTES_MAX = 65_536
RUNS_AT_ONCE = 16
# https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command.html
KEPT_SECONDS = 30 * 86_400
LIST_MAX = 50
EXPIRE_AT_ONCE = 200
