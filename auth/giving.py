"""Who may give what: nobody more than they hold, nor for longer than they hold it."""

from collections.abc import Iterable
from datetime import datetime

from auth.domain.bindings import Binding, Held
from auth.domain.roles import ADMINISTRATOR, BUILT_IN, permissions_of, refuse_escalation
from auth.storage.store import Tx
from core import clock, identity
from core.errors import InvalidField
from core.identity import Kind


async def check_given(tx: Tx, given: Iterable[Binding], *, field: str) -> None:
    """Refuse to give roles that do not exist, or that hold more than the caller at any time of
    their period. What is given exists until the transaction ends.

    Raises InvalidField or EscalationRefused.
    """
    given = list(given)
    own = await tx.roles.hold({each.role for each in given})
    for each in given:
        if each.role not in own and each.role not in BUILT_IN:
            raise InvalidField(field=field, rule="role")
    now, giver = clock.now(), await _giver(tx)
    for each in given:
        refuse_escalation(permissions_of((each.role,), own), giver.throughout(each, now))


async def check_without_end(tx: Tx, permissions: Iterable[str]) -> None:
    """Refuse permissions that the caller does not hold, or holds for a time only.

    Raises EscalationRefused.
    """
    giver = await _giver(tx)
    refuse_escalation(frozenset(permissions), giver.throughout(_ALWAYS, clock.now()))


async def check_lasting(tx: Tx, permission: str, starts_at: datetime, ends_at: datetime) -> None:
    """Refuse to give, by a permission, what outlasts the caller's hold of it.

    Raises EscalationRefused.
    """
    giver, period = await _giver(tx), Binding("", starts_at, ends_at)
    refuse_escalation(frozenset((permission,)), giver.throughout(period, clock.now()))


async def check_vouching(tx: Tx) -> None:
    """Refuse whoever could not give every role to decide who vouches for people.

    A provider says who signs in: whoever is tied to it, and whoever is invited. So nobody brings
    one in, or changes one, who is not an administrator without an end. Raises EscalationRefused.
    """
    await check_without_end(tx, BUILT_IN[ADMINISTRATOR])


class _Giver:
    """What the caller holds, and when."""

    def __init__(self, held: Held, own: dict[str, frozenset[str]]) -> None:
        self._held = held
        self._own = own

    def throughout(self, period: Binding, at: datetime) -> frozenset[str]:
        """What the caller may do now and, from now on, for the whole of the period.

        The call's own permissions are the ceiling: whoever acts for somebody holds less.
        """
        now = identity.caller().permissions
        if not self._held.timed:
            return now
        return now & permissions_of(self._held.throughout(period, at), self._own)


_ALWAYS = Binding("")


async def _giver(tx: Tx) -> _Giver:
    caller = identity.caller()
    # A program holds its roles without a period.
    if caller.kind is not Kind.USER or caller.subject is None:
        return _Giver(Held(), {})
    held = (await tx.principals.user(caller.subject, caller.organization)).held
    roles = [each.role for each in held.bindings] if held.timed else []
    return _Giver(held, await tx.roles.permissions(roles) if roles else {})
