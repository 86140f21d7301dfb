"""The keys of auth, and the access tokens that they sign.

Private halves stand in the database wrapped under the service's keyring, so that several
servers share them. A key is published, in a committed transaction, before its first use.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auth.background import own_call
from auth.domain.events import Event, KeyChanged, RoleChanged
from auth.domain.roles import BUILT_IN
from auth.domain.sessions import ACCESS_LIFE, SKEW, forget_at
from auth.row_keys import RowKey
from auth.storage.keys import SigningKey
from auth.storage.store import Store, Tx
from core import clock
from core.crypto.keyring import KeyProvider
from core.errors import Unavailable
from core.truth.proof import Claims, Key, sign

ALGORITHM = "EdDSA"
RELOAD_SECONDS = 10.0
"""How long the keys are kept in memory; a new key is published well before it signs."""

PUBLISHED_BEFORE = timedelta(seconds=60)
"""A key of a rotation signs this long after it was published: every server has it by then."""

REPLACED_AFTER = timedelta(seconds=2)
"""A key in the place of a compromised one signs this much after it was published: servers that
follow know it within milliseconds, and one that lags by more accepts no write."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom an access token is for, as read in one snapshot with its revision."""

    kind: str
    subject: UUID
    organization: UUID | None
    revision: int
    authenticated_at: datetime | None
    methods: tuple[str, ...]
    session: UUID | None = None
    level: int = 0
    # The registered name of a server of the platform.
    service: str = ""
    # A service account that acts on behalf of the subject, at the one server of the audience.
    actor: UUID | None = None
    audience: str = ""
    # Earlier than the life of a token, where the token may not outlive another.
    ends_at: datetime | None = None
    # The key by which a program got it.
    service_key: UUID | None = None
    # The certificate that it is bound to, by its thumbprint.
    confirmation: str = ""


class Signer:
    """Signs access tokens; keeps the unwrapped keys for RELOAD_SECONDS."""

    def __init__(self, keyring: KeyProvider) -> None:
        self.keyring = keyring
        self._keys: list[SigningKey] = []
        self._private: dict[str, bytes] = {}
        self._loaded_at = float("-inf")
        self._derivation = RowKey(keyring, "derivation")
        self._published: frozenset[tuple[str, bool]] = frozenset()

    def heed(self, keys: Mapping[str, Key]) -> None:
        """Read the keys anew where others are published: nothing is signed by a revoked one."""
        published = frozenset((key.kid, key.revoked) for key in keys.values())
        if published != self._published:
            self._published = published
            self._loaded_at = float("-inf")

    async def derivation_key(self, tx: Tx) -> bytes:
        """The key that refresh and activation tokens derive from. It never changes."""
        return await self._derivation.of(tx)

    async def access_token(self, tx: Tx, principal: Principal) -> tuple[str, datetime]:
        """A signed token and when it expires. Raises Unavailable before the first key is there."""
        now = clock.now().replace(microsecond=0)
        kid = await self._signing(tx, now)
        expires_at = now + ACCESS_LIFE
        claims = Claims(
            subject=principal.subject,
            kind=principal.kind,
            revision=principal.revision,
            issued_at=now,
            expires_at=min(expires_at, principal.ends_at or expires_at),
            token_id=str(uuid4()),
            organization=principal.organization,
            session=principal.session,
            service=principal.service,
            service_key=principal.service_key,
            actor=principal.actor,
            audience=principal.audience,
            assurance=principal.level,
            methods=principal.methods,
            authenticated_at=principal.authenticated_at,
            confirmation=principal.confirmation,
        )
        return sign(claims, self._private[kid], kid), claims.expires_at

    async def _signing(self, tx: Tx, now: datetime) -> str:
        """The key that signs now: of those in use, the one that began last."""
        loop_now = asyncio.get_running_loop().time()
        if loop_now - self._loaded_at > RELOAD_SECONDS:
            self._keys = await tx.keys.verifying(now)
            self._loaded_at = loop_now
        for key in self._keys:
            if _signs_now(key, now):
                self._unwrap(key)
                return key.kid
        self._loaded_at = float("-inf")
        raise Unavailable(retry_after=1.0)

    def _unwrap(self, key: SigningKey) -> None:
        if key.kid not in self._private:
            private = self.keyring.unwrap(key.wrapped_key, _associated(key.kid))
            self._private[key.kid] = private


async def verifying_keys(tx: Tx) -> dict[str, Key]:
    """The keys whose tokens are accepted now, as the database knows them."""
    keys = await tx.keys.verifying(clock.now())
    return {key.kid: Key(key.kid, ALGORITHM, key.public_key, key.not_after) for key in keys}


async def set_up(store: Store, keyring: KeyProvider) -> None:
    """Publish the first signing key and the built-in roles, where that was not yet done.

    Servers that start at once take turns, so that there is one first key.
    """
    async with store.begin_as(own_call("SetUp", "auth.keys.publish")) as tx:
        await tx.take_turns()
        now = clock.now().replace(microsecond=0)
        events = await _role_changes(tx)
        if not any(key.state == "active" for key in await tx.keys.verifying(now)):
            events.append(await _new_key(tx, keyring, signs_from=now))
        if events:
            await tx.state.publish(events)


async def rotate(store: Store, keyring: KeyProvider) -> str:
    """Publish a new signing key and retire the others; the new one's id.

    It signs after PUBLISHED_BEFORE. The others verify until the last token they sign is over.
    """
    async with store.begin_as(own_call("RotateKeys", "auth.keys.rotate")) as tx:
        await tx.take_turns()
        return await _rotate(tx, keyring)


async def rotate_older_than(store: Store, keyring: KeyProvider, age: timedelta) -> str | None:
    """Rotate unless a key has begun to sign since; the new one's id, or None.

    Servers that find a key too old at once take turns, so it is followed by one.
    """
    async with store.begin_as(own_call("RotateKeys", "auth.keys.rotate")) as tx:
        await tx.take_turns()
        now = clock.now()
        active = [key for key in await tx.keys.verifying(now) if key.state == "active"]
        if any(key.signs_from > now - age for key in active):
            return None
        return await _rotate(tx, keyring)


async def _rotate(tx: Tx, keyring: KeyProvider) -> str:
    signs_from = clock.now().replace(microsecond=0) + PUBLISHED_BEFORE
    # A server may go on with the old key until it reads the keys again.
    not_after = signs_from + timedelta(seconds=RELOAD_SECONDS) + ACCESS_LIFE + 2 * SKEW
    events: list[Event] = []
    for key in await tx.keys.verifying(clock.now()):
        if key.state == "active":
            await tx.keys.change(key.kid, "retired", not_after)
            events.append(
                KeyChanged(key.kid, key.public_key, "retired", not_after, forget_at=not_after)
            )
    published = await _new_key(tx, keyring, signs_from)
    await tx.state.publish([published, *events])
    return published.kid


async def revoke(store: Store, keyring: KeyProvider, kid: str) -> int:
    """Let a compromised key verify nothing from now on; the revision from which it does not.

    Where it signs now, a new key takes its place a moment later: till then no token is issued, and
    clients try again. Raises KeyError when no key of this id verifies.
    """
    async with store.begin_as(own_call("RevokeKey", "auth.keys.revoke")) as tx:
        await tx.take_turns()
        now = clock.now()
        verifying = await tx.keys.verifying(now)
        revoked = next((key for key in verifying if key.kid == kid), None)
        if revoked is None:
            raise KeyError(kid)
        await tx.keys.change(kid, "revoked", now)
        event = KeyChanged(kid, revoked.public_key, "revoked", now, forget_at=forget_at(now))
        events: list[Event] = [event]
        if not any(_signs_now(key, now) for key in verifying if key is not revoked):
            signs_from = now.replace(microsecond=0) + REPLACED_AFTER
            events.append(await _new_key(tx, keyring, signs_from))
        return await tx.state.publish(events)


def _signs_now(key: SigningKey, now: datetime) -> bool:
    outlives = key.not_after is None or now + ACCESS_LIFE < key.not_after
    return key.signs_from <= now and outlives


async def _new_key(tx: Tx, keyring: KeyProvider, signs_from: datetime) -> KeyChanged:
    private = Ed25519PrivateKey.generate()
    public, kid = private.public_key().public_bytes_raw(), str(uuid4())
    wrapped = keyring.wrap(private.private_bytes_raw(), _associated(kid))
    await tx.keys.add(SigningKey(kid, public, wrapped, "active", signs_from, None))
    return KeyChanged(kid, public, "active", None)


async def _role_changes(tx: Tx) -> list[Event]:
    """What this version's built-in roles change about those last published."""
    known = await tx.state.built_in_roles()
    names = sorted({*known, *BUILT_IN})
    return [
        RoleChanged(None, name, tuple(sorted(BUILT_IN.get(name, ()))))
        for name in names
        if known.get(name, frozenset()) != BUILT_IN.get(name, frozenset())
    ]


def _associated(kid: str) -> bytes:
    return f"medhub/auth/{kid}".encode()
