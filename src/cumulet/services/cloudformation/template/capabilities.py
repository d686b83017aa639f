"""Which acknowledgements a template needs, and the refusal when one is missing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cumulet.services.cloudformation.errors import InsufficientCapabilitiesException
from cumulet.services.cloudformation.template.declaration import ResourceDeclaration

_NAMES = {
    "AWS::IAM::AccessKey": "",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": "",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserToGroupAddition": "",
}
"""The types that need an acknowledgement, and the property that gives them a name of one's own.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
"""


def needed_capabilities(resources: Mapping[str, ResourceDeclaration]) -> tuple[list[str], str]:
    """The capabilities that these resources need, and the reason in AWS's words."""
    touching = {r.logical_id: r.type for r in resources.values() if r.type in _NAMES}
    if not touching:
        return [], ""
    named = any(
        _NAMES[r.type] and _NAMES[r.type] in r.properties
        for r in resources.values()
        if r.type in _NAMES
    )
    needed = "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"
    types = sorted(set(touching.values()))
    return [needed], f"The following resource(s) require capabilities: [{', '.join(types)}]"


def require_capabilities(
    resources: Mapping[str, ResourceDeclaration],
    given: Iterable[str],
    *,
    expands: bool,
) -> None:
    """Raise InsufficientCapabilitiesException unless everything needed is given.

    `expands` says that a macro changes the template and that it is executed without a change set.
    """
    held = set(given)
    if "CAPABILITY_NAMED_IAM" in held:
        held.add("CAPABILITY_IAM")
    needed, _ = needed_capabilities(resources)
    missing = [name for name in needed if name not in held]
    if expands and "CAPABILITY_AUTO_EXPAND" not in held:
        missing.append("CAPABILITY_AUTO_EXPAND")
    if missing:
        raise InsufficientCapabilitiesException(f"Requires capabilities : [{', '.join(missing)}]")
