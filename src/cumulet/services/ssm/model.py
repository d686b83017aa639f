"""Parameters and their versions as frozen records."""

from __future__ import annotations

import msgspec

from cumulet.core.identity import Scope

STANDARD = "Standard"
ADVANCED = "Advanced"
SECURE = "SecureString"
DEFAULT_KEY = "alias/aws/ssm"


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One value of a parameter. The value of a SecureString is sealed."""

    name: str
    number: int
    type: str
    value: bytes
    modified: float
    modified_by: str
    tier: str = STANDARD
    data_type: str = "text"
    description: str | None = None
    pattern: str | None = None
    key_id: str = ""


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter with its latest version; `labels` tell the number of the version they are on."""

    name: str
    latest: Version
    oldest: int = 1
    labels: dict[str, int] = {}
    tags: dict[str, str] = {}

    def labels_on(self, number: int) -> list[str]:
        """The labels of a version."""
        return sorted(label for label, on in self.labels.items() if on == number)


def parameter_arn(scope: Scope, name: str) -> str:
    """The ARN of a parameter; a leading slash of the name is the slash of the ARN."""
    return scope.arn("ssm", f"parameter/{name.removeprefix('/')}")
