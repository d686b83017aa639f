"""IAM policies: grammar, parsing and evaluation. Pure: no I/O, no clock, no storage.

`check_document` is for the moment a policy is given to us, `parse_policy` makes it ready to be
asked, and `decide` asks all that apply. How a caller's policies are found is in `services/iam`.
"""

from cumulet.kit.policy.decide import decide, looks_at_context, looks_at_source_alone
from cumulet.kit.policy.grammar import PolicyKind, check_document, size_of_document
from cumulet.kit.policy.model import (
    Decided,
    Decision,
    IdentityPolicies,
    MalformedPolicy,
    Policy,
    Question,
)
from cumulet.kit.policy.statements import parse_policy

__all__ = [
    "Decided",
    "Decision",
    "IdentityPolicies",
    "MalformedPolicy",
    "Policy",
    "PolicyKind",
    "Question",
    "check_document",
    "decide",
    "looks_at_context",
    "looks_at_source_alone",
    "parse_policy",
    "size_of_document",
]
