"""Auth's database in a simulation: what PostgreSQL promises auth's statements, in memory.

Each statement sees what was committed when it began, nothing else (READ COMMITTED). A transaction's
writes appear all at once, when it commits. Who publishes holds the one row of the revision until
then, so that revisions are given in the order of commits. Statements take time, commits may take
long, notifications may be lost.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from auth.domain import events
from auth.domain.access_grants import AccessGrant
from auth.domain.bindings import Held
from auth.domain.events import Event
from auth.storage.keys import SigningKey
from auth.storage.principals import ServiceStanding, UserStanding
from auth.storage.state import Told
from core.errors import Unavailable
from core.identity import Call, Caller, Kind
from tests.support.sim_rows import Rows, note
from tests.support.sim_time import START

# How long a statement takes, in seconds, on average; and a commit, now and then.
STATEMENT_SECONDS = 0.003
LATE_COMMIT_SECONDS = 3.0
HISTORY = UUID(int=1)  # nothing is restored here


class Database:
    """The primary. `history` holds every commit: when, and what was true from then on."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.rows = Rows()
        self.history: list[tuple[float, Rows]] = [(0.0, self.rows)]
        self.counter = asyncio.Lock()
        self.listeners: list[Callable[[], None]] = []
        self.reachable: dict[str, bool] = {}
        # The share of commits that are late, and of notifications that are lost.
        self.late = 0.0
        self.unheard = 0.0

    async def trip(self, machine: str, seconds: float = STATEMENT_SECONDS) -> None:
        """The way of one statement. Raises Unavailable when the machine cannot reach us."""
        await asyncio.sleep(self.chance.expovariate(1 / seconds))
        if not self.reachable.get(machine, True):
            await asyncio.sleep(self.chance.uniform(0, 3.0))
            raise Unavailable(retry_after=1.0)

    def commit(self, writes: Sequence[Callable[[Rows], None]]) -> None:
        """Make writes true, all at once."""
        rows = self.rows.copied()
        for write in writes:
            write(rows)
        published = rows.revision != self.rows.revision
        self.rows = rows
        self.history.append((asyncio.get_running_loop().time(), rows))
        if published:
            for heard in self.listeners:
                if self.chance.random() >= self.unheard:
                    asyncio.get_running_loop().call_later(self.chance.expovariate(500), heard)


class _AccessGrants:
    def __init__(self, tx: "Tx") -> None:
        self._tx = tx

    async def open_of(self, subject: UUID, at: datetime) -> list[AccessGrant]:
        """As AccessGrants.open_of."""
        place = self._tx.call.caller.organization
        return [
            grant
            for of, grant in (await self._tx.rows()).grants.values()
            if (of, grant.grantee) == (place, subject) and grant.may_still_open(at)
        ]


class Tx:
    """One transaction, with the nouns of auth's own that the simulated parts ask for."""

    def __init__(self, database: Database, machine: str, call: Call) -> None:
        self.database = database
        self.machine = machine
        self.call = call
        self.writes: list[Callable[[Rows], None]] = []
        self.publishes = False
        self.state = self.keys = self.principals = self.roles = self
        self.organizations = _Organizations(self)
        self.sessions = _Sessions(self)
        self.users = _Users(self)
        self.service_accounts = _ServiceAccounts(self)
        self.access_grants = _AccessGrants(self)

    async def rows(self) -> Rows:
        """What a statement that begins now sees."""
        await self.database.trip(self.machine)
        return self.database.rows

    def write(self, change: Callable[[Rows], None]) -> None:
        """Change rows when the transaction commits."""
        self.writes.append(change)

    async def record_act(self, *_: object, **__: object) -> None:
        """The trail is not part of the simulation."""

    async def take_turns(self) -> None:
        """Who sets up does it once, from one machine."""

    # State.

    async def publish(self, said: Sequence[Event]) -> int:
        """Take the revision's row, which is held until the transaction ends."""
        await self.database.counter.acquire()
        self.publishes = True
        await self.database.trip(self.machine)
        return self.given(said, self.database.rows.revision + 1)

    def given(self, told: Sequence[Event], revision: int) -> int:
        """Write the events under a revision."""
        said = {event.key: event for event in told}

        def write(rows: Rows) -> None:
            rows.revision = max(rows.revision, revision)
            at = _true_now()
            for key, event in said.items():
                told = {"kind": event.kind, **event.to_json()}
                rows.events.append((revision, at, told))
                rows.state[key] = (revision, event.forget_at, told)
                note(rows, revision, told)
            rows.events.sort(key=lambda row: row[0])

        self.write(write)
        return revision

    async def end_all_sessions(self) -> None:
        """As State.end_all_sessions."""
        await self.database.trip(self.machine)
        self.write(lambda rows: rows.session_epochs.__setitem__(None, rows.revision))

    async def revision(self) -> int:
        """As State.revision."""
        return (await self.rows()).revision

    async def epoch(
        self,
        subjects: Sequence[UUID],
        organization: UUID | None,
        service_key: UUID | None = None,
    ) -> int:
        """As State.epoch: from what is not yet forgotten."""
        rows = await self.rows()
        keys = [events.GLOBAL_KEY, *(events.subject_key(subject) for subject in subjects)]
        if organization is not None:
            keys.append(events.organization_key(organization))
            keys += [events.membership_epoch_key(subject, organization) for subject in subjects]
        return max((rows.state[key][0] for key in keys if key in rows.state), default=0)

    async def built_in_roles(self) -> dict[str, frozenset[str]]:
        """As State.built_in_roles."""
        rows = await self.rows()
        return {role: given for (place, role), given in rows.roles.items() if place is None}

    async def snapshot(self, at: datetime) -> Told:
        """As State.snapshot."""
        rows = await self.rows()
        held = [
            (said_at, told)
            for _, (said_at, until, told) in sorted(rows.state.items())
            if until is None or until > at
        ]
        return Told(HISTORY, rows.revision, rows.revision + 1, held)

    async def since(self, after: int) -> Told:
        """As State.since."""
        rows = await self.rows()
        oldest = rows.events[0][0] if rows.events else rows.revision + 1
        later = [(revision, told) for revision, _, told in rows.events if revision > after]
        return Told(HISTORY, rows.revision, oldest, later)

    async def forget(self, at: datetime, retention: timedelta) -> None:
        """As State.forget, with a retention of the simulation's own."""
        await self.rows()

        def write(rows: Rows) -> None:
            rows.events = [row for row in rows.events if row[1] >= at - retention]
            rows.state = {
                key: held for key, held in rows.state.items() if held[1] is None or held[1] >= at
            }

        self.write(write)

    # Keys.

    async def verifying(self, at: datetime) -> list[SigningKey]:
        """As Keys.verifying; keys of one moment in the order in which they were made."""
        rows = await self.rows()
        good = [
            key
            for key in rows.keys.values()
            if key.state != "revoked" and (key.not_after is None or key.not_after > at)
        ]
        return sorted(good, key=lambda key: key.signs_from, reverse=True)

    async def add(self, made: SigningKey) -> None:
        """As Keys.add."""
        self.write(lambda rows: rows.keys.__setitem__(made.kid, made))

    async def change(self, kid: str, state: str, not_after: datetime | None) -> None:
        """As Keys.change."""

        def write(rows: Rows) -> None:
            held = rows.keys[kid]
            rows.keys[kid] = SigningKey(
                kid, held.public_key, held.wrapped_key, state, held.signs_from, not_after
            )

        self.write(write)

    # Principals.

    async def user(
        self, user: UUID, organization: UUID | None, session: UUID | None = None
    ) -> UserStanding:
        """As Principals.user: one statement, one snapshot."""
        rows = await self.rows()
        member = rows.members.get((user, organization)) if organization else None
        held = rows.sessions.get(session or user)
        owned = held is not None and held.user == user
        return UserStanding(
            revision=rows.revision,
            enabled=not rows.disabled.get(user, True),
            member=member is not None
            and not member.suspended
            and not rows.suspended.get(organization or user, True),
            held=Held(member.roles if member is not None else ()),
            session_revoked_at=held.expires_at if held is not None and held.ended else None,
            session_expires_at=held.expires_at if held is not None and owned else None,
            session_ended=held is not None and rows.has_ended(held),
        )

    async def service(self, account: UUID) -> ServiceStanding | None:
        """As Principals.service."""
        rows = await self.rows()
        held = rows.accounts.get(account)
        if held is None:
            return None
        place = held.organization
        return ServiceStanding(
            revision=rows.revision,
            organization=place,
            display_name=held.display_name,
            roles=held.roles,
            enabled=held.enabled and (place is None or not rows.suspended.get(place, True)),
        )

    # Roles.

    async def permissions(self, ids: Iterable[str]) -> dict[str, frozenset[str]]:
        """As Roles.permissions: those of the organization of the transaction."""
        rows, place = await self.rows(), self.call.caller.organization
        return {role: rows.roles[place, role] for role in ids if (place, role) in rows.roles}


class _Organizations:
    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def suspend(self, organization: UUID, at: datetime | None) -> bool:
        rows = await self._tx.rows()
        self._tx.write(lambda rows: rows.suspended.__setitem__(organization, at is not None))
        return organization in rows.suspended

    async def end_sessions(self, organization: UUID, epoch: int) -> None:
        await self._tx.rows()
        self._tx.write(lambda rows: rows.session_epochs.__setitem__(organization, epoch))


class _Sessions:
    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def revoke_all(self, user: UUID, _at: datetime, _kept: None) -> list[UUID]:
        rows = await self._tx.rows()
        theirs = [key for key, row in rows.sessions.items() if row.user == user]

        def write(rows: Rows) -> None:
            for key in theirs:
                rows.sessions[key] = replace(rows.sessions[key], ended=True)

        self._tx.write(write)
        return theirs


@dataclass(frozen=True)
class _Account:
    id: UUID


class _Users:
    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def find(self, email: str) -> _Account | None:
        found = (await self._tx.rows()).addresses.get(email)
        return _Account(found) if found else None

    async def disable(self, user: UUID, _at: datetime) -> None:
        await self._tx.rows()
        self._tx.write(lambda rows: rows.disabled.__setitem__(user, True))


class _ServiceAccounts:
    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def disable_server(self, account: UUID, _at: datetime) -> bool:
        rows = await self._tx.rows()
        held = rows.accounts.get(account)
        if held is None:
            return False
        shut = ServiceStanding(
            held.revision, held.organization, held.display_name, held.roles, enabled=False
        )
        self._tx.write(lambda rows: rows.accounts.__setitem__(account, shut))
        return True


class Store:
    """Opens transactions from one machine."""

    def __init__(self, database: Database, machine: str) -> None:
        self._database = database
        self._machine = machine

    @asynccontextmanager
    async def begin_as(self, call: Call) -> AsyncIterator[Tx]:
        """As Store.begin_as: the end of the block commits, an exception takes everything back."""
        database, chance = self._database, self._database.chance
        tx = Tx(database, self._machine, call)
        try:
            yield tx
            if tx.writes:
                late = chance.random() < database.late
                seconds = chance.uniform(0, LATE_COMMIT_SECONDS) if late else STATEMENT_SECONDS
                await database.trip(self._machine, max(seconds, STATEMENT_SECONDS))
                database.commit(tx.writes)
        finally:
            if tx.publishes:
                database.counter.release()

    def begin_for(
        self,
        subject: UUID | None,
        organization: UUID | None,
        session: UUID | None = None,
        kind: Kind = Kind.USER,
    ) -> AbstractAsyncContextManager[Tx]:
        """As Store.begin_for."""
        caller = Caller(kind=kind, subject=subject, organization=organization, session=session)
        return self.begin_as(Call(method="simulated", caller=caller))


def _true_now() -> datetime:
    return START + timedelta(seconds=asyncio.get_running_loop().time())
