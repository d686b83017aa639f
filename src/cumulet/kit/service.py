"""What a service is: a manifest of operations, workers, surfaces, resources and ports."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Literal, TypeVar

from cumulet.core.context import Context, Platform
from cumulet.core.usage import Holding
from cumulet.kit.policy import Decided, Policy
from cumulet.kit.resources import ResourceType
from cumulet.kit.surface import Surface
from cumulet.kit.workers import Worker

Request = Any
"""An operation's input as a dictionary in AWS's spelling."""

Run = Callable[[Context, Any], Awaitable[Any]]
Access = Literal["identity", "anyone", "open"]
Named = str | Sequence[str]
Naming = Named | Callable[[Context, Any], Named | Awaitable[Named]]
Asked = Callable[[Context, Any], Mapping[str, Any] | Awaitable[Mapping[str, Any]]]
Holds = Callable[[Platform], AsyncIterator[Holding]]
F = TypeVar("F", bound=Run)


@dataclass(frozen=True, slots=True)
class OwnedPolicies:
    """The policies attached to the resource that a request names, and the account that owns it.

    `decided` remembers decisions on services' requests, for whoever keeps this value; like that of
    identities it holds nothing but what can be worked out again.
    """

    owner: str
    policies: tuple[Policy, ...] = ()
    decided: dict[tuple[str, ...], Decided] = field(default_factory=dict, compare=False, repr=False)

    def leaves_to(self, account: str) -> bool:
        """Whether the account owns the resource and no policy on it could deny its root user."""
        if account != self.owner or not self.policies:
            return account == self.owner
        return not any(
            statement.denies for policy in self.policies for statement in policy.statements
        )


class Target(str):
    """The ARN of a resource with the actions that are asked for on it, for a request whose parts
    need different permissions on different resources.
    """

    actions: tuple[str, ...]

    def __new__(cls, arn: str, actions: Iterable[str]) -> Target:
        """The resource, and actions named as those of an `Operation`."""
        made = super().__new__(cls, arn)
        made.actions = tuple(actions)
        return made


@dataclass(frozen=True, slots=True)
class Operation:
    """One AWS operation as a service declares it.

    - `run(ctx, request)` does it.
    - `action` is the IAM action (or several, all needed), `prefix:Name` unless given.
    - `resource` gives the ARN (or several, each needed) that the permission is asked for; a
      `Target` brings actions of its own.
    - `conditions` gives the service's own condition keys, e.g. `{"s3:prefix": …}`. It, `action` and
      `resource` may be coroutine functions, for what only the store can tell. It is called only
      when a policy that has a say looks at keys, so it must check nothing.
    - `resource_policy` loads the policies attached to the resource.
    - `access`: `identity` (a signature and permission are needed), `anyone` (unsigned callers are
      allowed in as anonymous, and a resource policy must let them), `open` (no permission is
      needed, as for GetCallerIdentity; `signed` says whether a signature is).
    """

    name: str
    run: Run
    action: Naming | None = None
    resource: Naming = "*"
    conditions: Asked | None = None
    resource_policy: Callable[[Context, Any], Awaitable[OwnedPolicies | None]] | None = None
    access: Access = "identity"
    signed: bool = True

    @property
    def takes_unsigned(self) -> bool:
        """Whether a request without a signature may reach this operation's policy."""
        return self.access == "anyone" or not self.signed


def operation(
    name: str,
    *,
    action: Naming | None = None,
    resource: Naming = "*",
    conditions: Asked | None = None,
    resource_policy: Callable[[Context, Any], Awaitable[OwnedPolicies | None]] | None = None,
    access: Access = "identity",
    signed: bool = True,
) -> Callable[[F], F]:
    """Declare the function below as the AWS operation `name`; see `Operation`."""

    def declare(run: F) -> F:
        if run.__name__ != snake_case(name):
            raise TypeError(f"{run.__module__}.{run.__name__} must be named {snake_case(name)}")
        declared = Operation(
            name, run, action, resource, conditions, resource_policy, access, signed
        )
        run.__dict__["__operation__"] = declared
        return run

    return declare


def snake_case(name: str) -> str:
    """`ListObjectsV2` → `list_objects_v2`, as botocore spells its methods."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


@dataclass(frozen=True, slots=True)
class Service:
    """The manifest: a table of contents, without logic.

    `name` is the service's name in botocore's data (`lambda`, `logs`); `prefix` is its IAM prefix.
    `provides(platform)` makes the parts and ports that this service offers, by type, once at start;
    a part with `start()` or `stop()` coroutines is started and stopped with the platform.
    `tables` are its record types, for `cumulet check`. `holds_blob(platform, id)` says whether one
    of its records refers to the blob; a service that writes blobs must have it, or they are swept.
    `holds(platform)` tells what its resources hold now and AWS charges for by time.
    """

    name: str
    prefix: str
    operations: Mapping[str, Operation]
    workers: tuple[Worker, ...] = ()
    surfaces: tuple[Surface, ...] = ()
    resources: tuple[ResourceType, ...] = ()
    provides: Callable[[Platform], Mapping[type, Any]] | None = None
    tables: tuple[Any, ...] = field(default=())
    holds_blob: Callable[[Platform, str], Awaitable[bool]] | None = None
    holds: Holds | None = None


@dataclass(frozen=True, slots=True)
class Holders:
    """How to learn what the resources of all services hold; a part of the application."""

    holders: tuple[Holds, ...]


def operations_of(*modules: ModuleType) -> dict[str, Operation]:
    """The operations declared in these modules, by AWS name."""
    found: dict[str, Operation] = {}
    for module in modules:
        for value in vars(module).values():
            declared = getattr(value, "__operation__", None)
            if isinstance(declared, Operation) and value.__module__ == module.__name__:
                found[declared.name] = declared
    return found
