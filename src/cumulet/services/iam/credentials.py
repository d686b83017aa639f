"""The ports of IAM: whose key this is, and which policies bind a principal."""

from __future__ import annotations

from cumulet.core.clock import Clock
from cumulet.core.context import Platform
from cumulet.core.errors import ExpiredToken
from cumulet.core.identity import Principal, Scope, parse_arn, root_principal
from cumulet.kit.policy import IdentityPolicies, Policy, parse_policy
from cumulet.kit.ports import Credential, Sealer
from cumulet.kv.cache import CachedView
from cumulet.kv.contract import Store, Transaction
from cumulet.services.iam import store
from cumulet.services.iam.limits import (
    DOCUMENTS_REMEMBERED_MAX,
    IDENTITIES_REMEMBERED_MAX,
    SESSIONS_REMEMBERED_MAX,
)
from cumulet.services.iam.model import ACTIVE, ROOT, Group, Role, User
from cumulet.services.iam.sessions.tokens import Claims, credential_of, read_token
from cumulet.services.iam.sessions.trust import ISSUER_ID

SECRET_PURPOSE = "iam.access-key"
_NO_SESSION = Policy("session")


class StoredCredentials:
    """The `Credentials` port: long-term keys from the store, sessions from their tokens."""

    def __init__(self, records: Store, sealer: Sealer, clock: Clock) -> None:
        self._records = records
        self._sealer = sealer
        self._clock = clock
        self._keys = CachedView(records, store.KEYS_CHANGED, self._load)
        self._sessions: dict[str, tuple[Claims, Credential]] = {}
        self._used: dict[str, float] = {}

    async def find(self, access_key_id: str, session_token: str) -> Credential | None:
        """The credential, or None when it is not one of ours. Raises ExpiredToken."""
        if session_token:
            session = self._open(session_token)
            if session is None or session[0].key_id != access_key_id:
                return None
            if session[0].expires_at <= self._clock.now():
                raise ExpiredToken("The security token included in the request is expired")
            return session[1]
        found = self._keys.held(access_key_id) or await self._keys.get(access_key_id)
        if found is not None:
            self._used[access_key_id] = self._clock.now()
        return found

    def last_used(self, key_id: str) -> float | None:
        """When a long-term key was used, if that was after `take_used`."""
        return self._used.get(key_id)

    def take_used(self) -> dict[str, float]:
        """The long-term keys used since the last call, with their times, to be written down."""
        used, self._used = self._used, {}
        return used

    def _open(self, token: str) -> tuple[Claims, Credential] | None:
        found = self._sessions.pop(token, None)
        if found is None:
            claims = read_token(self._sealer, token)
            if claims is None:
                return None
            found = (claims, credential_of(claims))
            if len(self._sessions) >= SESSIONS_REMEMBERED_MAX:
                del self._sessions[next(iter(self._sessions))]
        self._sessions[token] = found
        return found

    async def _load(self, key_id: str) -> Credential | None:
        async def read(tx: Transaction) -> Credential | None:
            key = await store.ACCESS_KEYS.load(tx, store.EVERYWHERE, key_id)
            if key is None or key.status != ACTIVE:
                return None
            secret = self._sealer.unseal(key.sealed, SECRET_PURPOSE).decode()
            if key.owner == ROOT:
                return Credential(secret, root_principal(key.account, key.id))
            user = await store.USERS.load(tx, Scope(key.account, ""), key.owner)
            if user is None:
                return None
            arn = user.arn(key.account)
            return Credential(
                secret, Principal("user", key.account, arn, user.id, arn, key.id, tags=user.tags)
            )

        return await self._records.transact(read)


class StoredPolicies:
    """The `Policies` port: what is attached to an identity, to its groups, and to its session."""

    def __init__(self, records: Store) -> None:
        self._records = records
        self._bound = CachedView(
            records, store.POLICIES_CHANGED, self._load, entries_max=IDENTITIES_REMEMBERED_MAX
        )
        self._parsed: dict[tuple[str, str], Policy] = {}

    async def of(self, principal: Principal) -> IdentityPolicies:
        """What binds this principal; empty when the identity is gone."""
        # A new identity of the same name is another one. Who vouched for a federated user, or for
        # the user's own session, is in the context or is the user.
        issuer = principal.context.get(ISSUER_ID) or principal.user_id.split(":", 1)[0]
        key = (principal.kind, principal.policy_arn, issuer, principal.session_policies)
        return self._bound.held(key) or await self._bound.get(key)

    async def _load(self, key: tuple[str, str, str, tuple[str, ...]]) -> IdentityPolicies:
        kind, arn, unique_id, session = key

        async def read(tx: Transaction) -> IdentityPolicies:
            parsed = parse_arn(arn)
            if parsed is None:
                return IdentityPolicies()
            scope = Scope(parsed.account, "")
            narrowed = await self._session(tx, scope, kind, session)
            entity: User | Role | None
            name = parsed.resource.rsplit("/", 1)[-1]
            if parsed.resource == "root":
                return IdentityPolicies((parse_policy("root", _EVERYTHING),), None, narrowed)
            if parsed.resource.startswith("role/"):
                entity = await store.load_role(tx, scope, name)
            else:
                entity = await store.load_user(tx, scope, name)
            if entity is None or entity.id != unique_id:
                return IdentityPolicies(session=narrowed)
            own = await self._own(tx, scope, entity)
            boundary = None
            if entity.boundary:
                boundary = await self._managed(tx, scope, entity.boundary)
                # A boundary that is gone bounds everything.
                boundary = boundary or Policy(entity.boundary)
            return IdentityPolicies(own, boundary, narrowed)

        return await self._records.transact(read)

    async def _own(self, tx: Transaction, scope: Scope, entity: User | Role) -> tuple[Policy, ...]:
        holders: list[User | Role | Group] = [entity]
        if isinstance(entity, User):
            for name in entity.groups:
                group = await store.GROUPS.load(tx, scope, name)
                if group is not None:
                    holders.append(group)
        found: list[Policy] = []
        for holder in holders:
            found.extend(self._parse(name, text) for name, text in holder.inline.items())
            for arn in holder.attached:
                managed = await self._managed(tx, scope, arn)
                if managed is not None:
                    found.append(managed)
        return tuple(found)

    async def _session(
        self, tx: Transaction, scope: Scope, kind: str, given: tuple[str, ...]
    ) -> tuple[Policy, ...]:
        # A federated user has what its session's policies allow, and without any, nothing.
        found = [_NO_SESSION] if kind == "federated" or given else []
        for item in given:
            if not item.startswith("arn:"):
                found.append(self._parse("session", item))
            elif (managed := await self._managed(tx, scope, item)) is not None:
                found.append(managed)
        return tuple(found)

    async def _managed(self, tx: Transaction, scope: Scope, arn: str) -> Policy | None:
        text = await store.load_any_document(tx, scope, arn)
        return None if text is None else self._parse(arn, text)

    def _parse(self, name: str, text: str) -> Policy:
        found = self._parsed.get((name, text))
        if found is None:
            found = parse_policy(name, text)
            if len(self._parsed) >= DOCUMENTS_REMEMBERED_MAX:
                self._parsed.clear()
            self._parsed[name, text] = found
        return found


_EVERYTHING = (
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
)


def ports(platform: Platform) -> tuple[StoredCredentials, StoredPolicies]:
    """Both ports, over the platform's store."""
    records = platform.need(Store)
    sealer = platform.need(Sealer)
    return StoredCredentials(records, sealer, platform.clock), StoredPolicies(records)
