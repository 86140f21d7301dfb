"""Questions about the caller's own rights: one, several, all; and what decided."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from auth.domain.access_grants import AccessGrant, GrantKind, State
from auth.domain.roles import giving, permissions_of
from auth.servicers.times import timestamp
from auth.storage.store import Store, Tx
from core import clock, identity
from core.contract import Method, everything
from core.identity import Caller, Kind
from core.ids import id_from, name_of
from medhub.auth.v1 import auth_pb2
from medhub.auth.v1 import auth_service_pb2 as wire
from medhub.options.v1.policy_pb2 import LINK_CARE


@dataclass(frozen=True, slots=True)
class _Standing:
    """What a caller holds: roles by what, what the organization's own give, and open grants."""

    revision: int
    roles: tuple[str, ...]
    ends: Mapping[str, datetime]
    binding: str
    own: Mapping[str, frozenset[str]]
    grants: Sequence[AccessGrant] = ()

    def role(self, role: str, permissions: Iterable[str] = ()) -> auth_pb2.HeldRole:
        """One of the roles, by what it is held and until when."""
        return auth_pb2.HeldRole(
            role=role,
            binding=self.binding,
            permissions=sorted(permissions),
            end_time=timestamp(self.ends.get(role)),
        )


class Questions:
    """Answers from the database, with the revision that it was at."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rules: dict[str, list[Method]] = {}
        for method in everything().methods.values():
            self._rules.setdefault(method.permission, []).append(method)

    async def answers(
        self, asked: Sequence[auth_pb2.AccessQuestion], *, explain: bool
    ) -> list[auth_pb2.AccessAnswer]:
        """In the order of the questions. Raises InvalidName for what names no patient."""
        patients = [
            id_from(each.patient, "patients", field="patient") if each.patient else None
            for each in asked
        ]
        held = await self._standing(grants=any(patients), binding=explain)
        return [
            self._answer(f"{each.resource}.{each.action}", patient, held, explain=explain)
            for each, patient in zip(asked, patients, strict=True)
        ]

    async def everything_held(self) -> wire.GetPermissionsResponse:
        """Role by role."""
        held = await self._standing(binding=True)
        roles = [held.role(role, permissions_of((role,), held.own)) for role in sorted(held.roles)]
        return wire.GetPermissionsResponse(roles=roles, auth_revision=held.revision)

    async def _standing(self, *, binding: bool, grants: bool = False) -> _Standing:
        caller = identity.caller()
        async with self._store.begin(read_only=True) as tx:
            revision, roles, ends = await _roles_held(tx, caller)
            own = await tx.roles.permissions(roles)
            return _Standing(
                revision,
                roles,
                ends,
                await _binding_of(tx, caller) if binding else "",
                own,
                await _open_grants(tx, caller) if grants else (),
            )

    def _answer(
        self, permission: str, patient: UUID | None, held: _Standing, *, explain: bool
    ) -> auth_pb2.AccessAnswer:
        rules = self._rules.get(permission, [])
        role = giving(permission, held.roles, held.own)
        opened = None if patient is None else _opened(rules, patient, held.grants)
        answer = auth_pb2.AccessAnswer(
            authorized=bool(role),
            permission=permission,
            role=role,
            auth_revision=held.revision,
        )
        if patient is not None:
            answer.link = _link(rules, opened)
        if explain:
            answer.explanation.CopyFrom(_explained(permission, rules, opened, held))
        return answer


def _opened(
    rules: Iterable[Method], patient: UUID, grants: Iterable[AccessGrant]
) -> AccessGrant | None:
    """The grant that opens the patient to some of the methods; what a colleague gave goes first."""
    reading = [method for method in rules if method.takes_grants]
    emergencies = any(method.break_glass for method in reading)
    mine = [each for each in grants if each.patient == patient]
    for grant in sorted(mine, key=lambda each: each.kind is GrantKind.BREAK_GLASS):
        if emergencies or (reading and grant.kind is GrantKind.EXPLICIT):
            return grant
    return None


def _link(rules: Iterable[Method], opened: AccessGrant | None) -> auth_pb2.LinkDecision:
    if all(method.policy.link != LINK_CARE for method in rules):
        return auth_pb2.LINK_DECISION_NOT_NEEDED
    return auth_pb2.LINK_DECISION_GRANTED if opened else auth_pb2.LINK_DECISION_BY_CLINICAL


def _explained(
    permission: str, rules: Iterable[Method], opened: AccessGrant | None, held: _Standing
) -> auth_pb2.AccessExplanation:
    giving_it = [
        role for role in sorted(held.roles) if permission in permissions_of((role,), held.own)
    ]
    return auth_pb2.AccessExplanation(
        rules=[
            auth_pb2.AccessRule(
                method=method.name,
                link=method.policy.link == LINK_CARE,
                opened_by_grant=method.takes_grants,
                opened_by_break_glass=method.break_glass,
            )
            for method in sorted(rules, key=lambda each: each.name)
        ],
        roles=[held.role(role) for role in giving_it],
        grant=name_of("accessGrants", opened.id) if opened else "",
        break_glass=opened is not None and opened.kind is GrantKind.BREAK_GLASS,
    )


async def _roles_held(tx: Tx, caller: Caller) -> tuple[int, tuple[str, ...], dict[str, datetime]]:
    """The revision, the caller's roles at it in the organization of the token, and their ends."""
    if caller.kind is Kind.SERVICE:
        service = await tx.principals.service(_subject(caller))
        usable = service is not None and service.enabled
        return (service.revision, service.roles, {}) if service and usable else (0, (), {})
    user = await tx.principals.user(_subject(caller), caller.organization)
    if not user.member:
        return user.revision, (), {}
    now = clock.now()
    open_ended = {each.role for each in user.held.timed if each.holds(now) and not each.ends_at}
    ends: dict[str, datetime] = {}
    for each in user.held.timed:
        if each.holds(now) and each.ends_at and each.role not in open_ended:
            ends[each.role] = max(each.ends_at, ends.get(each.role, each.ends_at))
    return user.revision, user.held.at(now), ends


async def _binding_of(tx: Tx, caller: Caller) -> str:
    if caller.kind is Kind.SERVICE:
        return name_of("serviceAccounts", _subject(caller))
    found = await tx.rights.membership_of(_subject(caller))
    return name_of("memberships", found) if found else ""


async def _open_grants(tx: Tx, caller: Caller) -> list[AccessGrant]:
    now = clock.now()
    held = await tx.access_grants.open_of(_subject(caller), now)
    return [each for each in held if each.state(now) is State.OPEN]


def _subject(caller: Caller) -> UUID:
    if caller.subject is None:
        raise LookupError("a caller of a method that is not public has been proven")
    return caller.subject
