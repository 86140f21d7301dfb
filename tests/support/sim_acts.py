"""What people and programs do in a simulation: they log in and out, and change who may what."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from auth import ending, operation, signing
from auth.background import own_call
from auth.domain.access_grants import Actor, break_glass, give, revoke
from auth.domain.events import (
    MembershipChanged,
    MembershipEpoch,
    RoleChanged,
    SessionRevoked,
    SubjectEpoch,
)
from auth.domain.refusals import TokenInvalid
from auth.domain.sessions import forget_at
from auth.granting import grant_changed
from auth.signing import Principal, rotate
from core import clock, identity
from core.errors import Unavailable
from core.identity import Call
from core.truth import Claims, Key
from core.truth.proof import verify
from tests.support import sim_database, sim_rows
from tests.support.sim_servers import (
    KEYRING,
    AuthServer,
)
from tests.support.sim_world import (
    BUILT_IN,
    OWN,
    PERMISSIONS,
    Token,
    World,
    some,
    still_going,
)

# Tokens that are still called with after their end, and how many are at hand at once.
MOST_TOKENS = 60
REASON = "It is simulated."


async def changes(world: World) -> None:
    """Log-ins and changes, by themselves and at once."""
    under_way: list[asyncio.Task[Any]] = []
    try:
        while True:
            await asyncio.sleep(world.chance.expovariate(world.weather.changes))
            auth = world.chance.choice(world.auths)
            act = world.chance.choices(_ACTS, _WEIGHTS)[0]
            if auth.alive:
                under_way.append(asyncio.create_task(acted(world, auth, act)))
            under_way = still_going(under_way)
    finally:
        for task in under_way:
            task.cancel()


async def acted(world: World, auth: AuthServer, act: Callable[..., Awaitable[None]]) -> None:
    # A server that is stopped takes what it was doing along; the client is told nothing. What is
    # refused otherwise is a fault of the simulation, which would not do what it says.
    with suppress(TokenInvalid, Unavailable, TimeoutError, operation.NoSuchRow):
        async with asyncio.timeout(10.0):
            await auth.run(act(world, auth))  # type: ignore[arg-type]  # they are coroutines


async def _log_in(world: World, auth: AuthServer) -> None:
    chance = world.chance
    person, organization = chance.choice(world.people), chance.choice(world.organizations)
    session = world.new_id()
    async with auth.store.begin_for(person, organization, session) as tx:
        standing = await tx.principals.user(person, organization)
        if not standing.enabled or not standing.member:
            return
        ends = clock.now() + timedelta(hours=12)
        held = sim_rows.Session(person, organization, ends, standing.revision)
        own_tx(tx).write(lambda rows: rows.sessions.__setitem__(session, held))
        principal = _principal("user", person, organization, standing.revision, session)
        text, _ = await auth.signer.access_token(tx, principal)
    world.sessions[session] = person
    _keep(world, text)


async def _renew(world: World, auth: AuthServer) -> None:
    """A session's next token; the session's row is held meanwhile, as a renewal does."""
    of_people = [each for each in world.tokens if each.claims.session and not each.claims.actor]
    if not of_people:
        return
    claims = world.chance.choice(of_people).claims
    async with auth.store.begin_for(claims.subject, claims.organization, claims.session) as tx:
        standing = await tx.principals.user(claims.subject, claims.organization, claims.session)
        if not (standing.enabled and standing.member and standing.session_lives(clock.now())):
            return
        principal = _principal(
            "user", claims.subject, claims.organization, standing.revision, claims.session
        )
        text, _ = await auth.signer.access_token(tx, principal)
    _keep(world, text)


async def _service_token(world: World, auth: AuthServer) -> None:
    account = world.chance.choice(world.accounts)
    async with auth.store.begin_for(account, None) as tx:
        standing = await tx.principals.service(account)
        if standing is None or not standing.enabled:
            return
        principal = _principal("service", account, None, standing.revision, None)
        text, _ = await auth.signer.access_token(tx, principal)
    _keep(world, text)


async def _on_behalf(world: World, auth: AuthServer) -> None:
    of_people = [each for each in world.tokens if each.claims.session and not each.claims.actor]
    if not of_people:
        return
    shown = world.chance.choice(of_people)
    audience = world.chance.choice(world.servers).machine.name
    identity.enter(Call(method="sim", action="auth.tokens.exchange"))
    text, _ = await auth.exchange(shown.text, world.chance.choice(world.accounts), audience)
    _keep(world, text)


def _principal(
    kind: str, subject: UUID, organization: UUID | None, revision: int, session: UUID | None
) -> Principal:
    return Principal(kind, subject, organization, revision, clock.now(), ("pwd",), session)


def _keep(world: World, text: str) -> None:
    held = world.database.rows.keys.values()
    keys = {key.kid: Key(key.kid, signing.ALGORITHM, key.public_key) for key in held}
    world.tokens.append(Token(text, verify(text, keys, clock.now())))
    del world.tokens[:-MOST_TOKENS]


async def _log_out(world: World, auth: AuthServer) -> None:
    if not world.sessions:
        return
    session = world.chance.choice(list(world.sessions))
    async with auth.store.begin_as(own_call("LogOut", "sim")) as tx:
        _end(own_tx(tx), [session])
        revision = await tx.state.publish([SessionRevoked(session, forget_at(clock.now()))])
    world.sessions.pop(session, None)
    _ended(world, revision, lambda claims: claims.session == session)


async def _set_roles(world: World, auth: AuthServer) -> None:
    person, organization, roles = _member(world)
    async with auth.store.begin_as(own_call("SetRoles", "sim")) as tx:
        rows = await own_tx(tx).rows()
        member = rows.members[person, organization]
        if member.suspended:
            return
        made = sim_rows.Member(roles)
        await tx.state.publish([_membership(person, organization, made)])
        # Changes in one organization take turns; here, those of the revision.
        if world.database.rows.members[person, organization].suspended:
            raise Unavailable
        own_tx(tx).write(lambda rows: rows.members.__setitem__((person, organization), made))


async def _suspend(world: World, auth: AuthServer) -> None:
    person, organization, _ = _member(world)
    async with auth.store.begin_as(own_call("Suspend", "sim")) as tx:
        rows = await own_tx(tx).rows()
        made = sim_rows.Member(rows.members[person, organization].roles, suspended=True)
        _end(own_tx(tx), _sessions_in(rows, person, organization))
        epoch = MembershipEpoch(person, organization, forget_at(clock.now()))
        revision = await tx.state.publish([_membership(person, organization, made), epoch])
        own_tx(tx).write(lambda rows: rows.members.__setitem__((person, organization), made))
    _ended(world, revision, lambda c: (c.subject, c.organization) == (person, organization))


async def _reactivate(world: World, auth: AuthServer) -> None:
    person, organization, roles = _member(world)
    async with auth.store.begin_as(own_call("Reactivate", "sim")) as tx:
        made = sim_rows.Member(roles)
        await tx.state.publish([_membership(person, organization, made)])
        own_tx(tx).write(lambda rows: rows.members.__setitem__((person, organization), made))


def _sessions_in(rows: sim_rows.Rows, person: UUID, organization: UUID) -> list[UUID]:
    place = (person, organization)
    return [s for s, row in rows.sessions.items() if (row.user, row.organization) == place]


def _member(world: World) -> tuple[UUID, UUID, tuple[str, ...]]:
    chance = world.chance
    roles = tuple(some(chance, (*BUILT_IN, *OWN)))
    return chance.choice(world.people), chance.choice(world.organizations), roles


def _membership(person: UUID, organization: UUID, member: sim_rows.Member) -> MembershipChanged:
    roles = () if member.suspended else member.roles
    until = forget_at(clock.now())
    return MembershipChanged(person, organization, roles, member.suspended, until)


async def _change_role(world: World, auth: AuthServer) -> None:
    organization: UUID | None = world.chance.choice([*world.organizations, None])
    role = world.chance.choice(OWN if organization else BUILT_IN)
    given = tuple(sorted(some(world.chance, PERMISSIONS)))
    async with auth.store.begin_as(own_call("ChangeRole", "sim")) as tx:
        await tx.state.publish([RoleChanged(organization, role, given)])


async def _suspend_organization(world: World, auth: AuthServer) -> None:
    organization = world.chance.choice(world.organizations)
    revision = await operation.suspend_organization(auth.store, organization)
    _ended(world, revision, lambda claims: claims.organization == organization)
    await asyncio.sleep(world.chance.uniform(0, 10))
    await operation.reactivate_organization(auth.store, organization)


async def _end_organization(world: World, auth: AuthServer) -> None:
    """Everybody of an organization is logged out: one event."""
    organization = world.chance.choice(world.organizations)
    async with auth.store.begin_as(own_call("EndAll", "sim")) as tx:
        revision = await ending.end_all_in(tx, organization)
        # Who may ask for it is in the organization, which cannot be while it is suspended.
        if world.database.rows.suspended[organization]:
            raise Unavailable
    _ended(world, revision, lambda claims: claims.organization == organization)


async def _end_everything(world: World, auth: AuthServer) -> None:
    revision = await operation.end_everything(auth.store)
    _ended(world, revision, lambda _: True)


async def _end_member(world: World, auth: AuthServer) -> None:
    """What a member has open in an organization ends; they may log in again."""
    person, organization, _ = _member(world)
    async with auth.store.begin_as(own_call("EndMember", "sim")) as tx:
        rows = await own_tx(tx).rows()
        _end(own_tx(tx), _sessions_in(rows, person, organization))
        until = forget_at(clock.now())
        revision = await tx.state.publish([MembershipEpoch(person, organization, until)])
    _ended(world, revision, lambda c: (c.subject, c.organization) == (person, organization))


async def _disable(world: World, auth: AuthServer) -> None:
    if world.chance.random() < 0.5 and len(world.people) > 2:
        person = world.people.pop()
        revision = await operation.disable_account(auth.store, str(person))
        _ended(world, revision, lambda claims: claims.subject == person)
    else:
        account = world.chance.choice(world.accounts)
        revision = await operation.disable_server(auth.store, account)
        _ended(world, revision, lambda claims: account in {claims.subject, claims.actor})


async def _end_person(world: World, auth: AuthServer) -> None:
    """All sessions of somebody end, and they may log in again."""
    person = world.chance.choice(world.people)
    async with auth.store.begin_as(own_call("RevokeAll", "sim")) as tx:
        _end(own_tx(tx), [s for s, owner in world.sessions.items() if owner == person])
        revision = await tx.state.publish([SubjectEpoch(person, forget_at(clock.now()))])
    _ended(world, revision, lambda claims: claims.subject == person)


async def _give(world: World, auth: AuthServer) -> None:
    """Access to one patient: from a colleague for some seconds, or taken in an emergency."""
    chance = world.chance
    person, organization, _ = _member(world)
    patient, now = chance.choice(world.patients), clock.now()
    if chance.random() < 0.3:
        made = break_glass(world.new_id(), person=person, patient=patient, reason=REASON, now=now)
    else:
        begins = now + timedelta(seconds=max(chance.uniform(-10, 10), 0))
        made = give(
            world.new_id(),
            grantee=person,
            patient=patient,
            reason=REASON,
            starts_at=begins,
            ends_at=begins + timedelta(seconds=chance.uniform(1, 60)),
            by=Actor("user", world.organizations[0]),
            now=now,
        )
    async with auth.store.begin_as(own_call("Give", "sim")) as tx:
        await tx.state.publish([grant_changed(made, organization)])
        own_tx(tx).write(lambda rows: rows.grants.__setitem__(made.id, (organization, made)))


async def _take_back(world: World, auth: AuthServer) -> None:
    async with auth.store.begin_as(own_call("TakeBack", "sim")) as tx:
        rows, now = await own_tx(tx).rows(), clock.now()
        held = [key for key, (_, each) in rows.grants.items() if each.may_still_open(now)]
        if not held:
            return
        place, grant = rows.grants[world.chance.choice(held)]
        gone = revoke(grant, now=now)
        await tx.state.publish([grant_changed(gone, place)])
        own_tx(tx).write(lambda rows: rows.grants.__setitem__(gone.id, (place, gone)))


async def _rotate(world: World, auth: AuthServer) -> None:
    await rotate(auth.store, KEYRING)


async def _revoke_key(world: World, auth: AuthServer) -> None:
    """A key is bad from now on; where it signs, a new one does a moment later."""
    good = [kid for kid, key in world.database.rows.keys.items() if key.state != "revoked"]
    kid = world.chance.choice(good)
    revision = await operation.revoke_key(auth.store, KEYRING, kid)
    _ended(world, revision, lambda claims: claims.kid == kid)


_ACTS: list[Any] = [
    _log_in, _renew, _service_token, _on_behalf, _log_out, _set_roles, _suspend, _reactivate,
    _change_role, _suspend_organization, _end_organization, _disable, _end_person, _rotate,
    _revoke_key, _end_everything, _end_member, _give, _take_back,
]  # fmt: skip
_WEIGHTS = [12, 4, 2, 4, 4, 3, 2, 3, 2, 0.3, 0.3, 0.1, 1, 0.3, 0.3, 0.05, 1, 6, 4]


def own_tx(tx: Any) -> sim_database.Tx:
    """The transaction as what it is here, for what the simulation does by itself."""
    if not isinstance(tx, sim_database.Tx):
        raise TypeError("a transaction of another database")
    return tx


def _end(tx: sim_database.Tx, sessions: list[UUID]) -> None:
    def write(rows: sim_rows.Rows) -> None:
        for session in sessions:
            rows.sessions[session] = replace(rows.sessions[session], ended=True)

    tx.write(write)


def _ended(world: World, revision: int, which: Callable[[Claims], bool]) -> None:
    """The change was acknowledged: whoever passes its revision is refused at once."""
    for token in world.tokens:
        if which(token.claims) and token.claims.revision < revision:
            token.ended_at = max(token.ended_at, revision)
