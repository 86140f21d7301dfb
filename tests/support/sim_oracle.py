"""The oracle of the simulation: what auth's database held, and what each decision may rest on.

It knows nothing of streams, caches or hops. A call that was let in must rest on what the database
held at some moment that its class still allows; a call that was sent away must rest on some moment
as well. What rests on nothing is a fault of the protocol.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from uuid import UUID

from core.identity import Caller
from core.truth import Claims, State
from core.truth.hops import HOP_SECONDS
from core.truth.proof import SKEW
from core.truth.truth import AWAY_SECONDS, CONTINUE_SECONDS
from tests.support.sim_database import Database
from tests.support.sim_rows import Rows
from tests.support.sim_time import START, Machine

# A decision is noted this many seconds after it was made, at the most: no time passes between.
NOTED_SECONDS = 0.001
# How old the truth may be by which somebody is sent away: as old as a read may be.
SENT_AWAY_SECONDS = 10.0
# What the clocks of two machines differ by at the most, and a little more.
CLOCKS_APART = timedelta(seconds=6)


@dataclass(frozen=True)
class Asked:
    """One call: by which token, for which permission, about which patient, under which bound, and
    when it began.
    """

    claims: Claims
    permission: str
    patient: UUID
    bound: float
    continues: bool
    min_revision: int
    began: float


@dataclass
class Oracle:
    """Judges decisions. `faults` says what was wrong, in the order of time."""

    database: Database
    faults: list[str] = field(default_factory=list)
    judged: dict[str, int] = field(default_factory=dict)

    def let_in(
        self, asked: Asked, caller: Caller, machine: Machine, *, proven: bool, current_at: float
    ) -> None:
        """A call went through. `proven`: this server had proven the token before; `current_at`
        is when what it knew was proven last.
        """
        now = _time()
        bound = asked.bound
        if caller.degraded:
            self._count("degraded")
            if not (asked.continues and proven):
                self._fault("a call continued that was not declared, or not proven before", asked)
            if now - current_at > CONTINUE_SECONDS:
                self._fault("a call continued for too long", asked)
            # What was heard before the outage holds during it.
            bound = now - current_at + asked.bound
        self._count("let in")
        since = asked.began if bound <= 0 else now - bound
        if not any(
            asked.permission in (rows.gives(asked.claims) or ())
            for rows in self._between(since, now)
            if rows.revision >= max(asked.min_revision, asked.claims.revision)
        ):
            self._fault(f"let in (bound {bound}): {self._gone(asked)}", asked)
        if machine.now() - SKEW > asked.claims.expires_at:
            self._fault("let in after its token had run out", asked)

    def looked(self, asked: Asked, caller: Caller, machine: Machine, *, current_at: float) -> None:
        """Whether a grant opens the patient's record to a caller who went through."""
        now, at = _time(), machine.now()
        opened = any(grant.patient == asked.patient for grant in caller.grants)
        if not opened:
            moments = (at - CLOCKS_APART, at + CLOCKS_APART)
            if all(
                rows.opens(asked.claims, asked.patient, moment)
                for rows in self._between(self._since(asked), now)
                for moment in moments
            ):
                self._fault("a grant that held all the time opened nothing", asked)
            return
        self._count("opened")
        bound = now - current_at + asked.bound if caller.degraded else asked.bound
        if not any(
            rows.opens(asked.claims, asked.patient, at)
            for rows in self._between(asked.began if bound <= 0 else now - bound, now)
            if rows.revision >= max(asked.min_revision, asked.claims.revision)
        ):
            self._fault(f"opened (bound {bound}) by a grant that was gone", asked)

    def denied(self, asked: Asked) -> None:
        """A call of somebody known was refused for want of the permission."""
        self._count("denied")
        now = _time()
        held = [rows.gives(asked.claims) for rows in self._between(self._since(asked), now)]
        if all(given is None or asked.permission in given for given in held):
            self._fault("denied what was held all the time", asked)

    def sent_away(self, asked: Asked, machine: Machine, silent: float) -> None:
        """A caller was told to log in again, by a server that auth cannot have told or answered
        anything for so many seconds.
        """
        self._count("sent away")
        for rows in self._between(self._since(asked), _time()):
            key = rows.keys.get(asked.claims.kid)
            if key is not None and key.not_after is not None and machine.now() > key.not_after:
                return
            if rows.gives(asked.claims) is None:
                return
        # A stream ends when its token does; a call has the skew besides, by whichever clock.
        if machine.now() >= asked.claims.expires_at:
            if silent > AWAY_SECONDS + HOP_SECONDS:
                self._fault("an outage was told as a log-out", asked)
            return
        self._fault("somebody valid was told to log in again", asked)

    def put_off(self, asked: Asked, *, quiet: bool) -> None:
        """A call was refused since auth could not be asked."""
        self._count("put off")
        if quiet:
            self._fault("put off although nothing is wrong", asked)

    def streamed(self, asked: Asked, seconds: float) -> None:
        """A stream goes on that was judged last so many seconds ago, at the most."""
        self._count("streamed")
        now = _time()
        if not any(
            asked.permission in (rows.gives(asked.claims) or ())
            for rows in self._between(now - seconds, now)
        ):
            self._fault(f"a stream goes on: {self._gone(asked)}", asked)

    def applied(self, state: State, name: str) -> None:
        """What a server holds for true is what the database held at that revision."""
        self._count("states")
        rows = self._at_revision(state.revision)
        wrong = [] if rows is None else _differences(state, rows)
        if rows is not None:
            wrong += _memberships_apart(state, rows, self._from_revision(state.revision))
        if wrong:
            self.faults.append(f"{_time():.3f} {name} is out of step unnoticed: {wrong[0]}")

    def proven(self, state: State, name: str) -> None:
        """A server that counts as current at a moment knows what was committed by then."""
        moment = state.proven_at
        if moment > float("-inf") and self._at(moment).revision > state.revision:
            self.faults.append(f"{_time():.3f} {name} counts as current and lacks a commit")

    def _between(self, since: float, until: float) -> list[Rows]:
        """What the database held at any time of a span, both ends included."""
        history = self.database.history
        first = bisect_right(history, since - NOTED_SECONDS, key=lambda commit: commit[0]) - 1
        last = bisect_right(history, until, key=lambda commit: commit[0])
        return [rows for _, rows in history[max(first, 0) : last]]

    def _at(self, moment: float) -> Rows:
        history = self.database.history
        return history[max(bisect_right(history, moment, key=lambda c: c[0]) - 1, 0)][1]

    def _at_revision(self, revision: int) -> Rows | None:
        """The rows of the last commit of a revision."""
        for _, rows in reversed(self.database.history):
            if rows.revision == revision:
                return rows
        return None

    def _from_revision(self, revision: int) -> list[Rows]:
        """The rows of every commit from a revision on."""
        history = self.database.history
        return [rows for _, rows in takewhile(lambda c: c[1].revision >= revision, history[::-1])]

    def _since(self, asked: Asked) -> float:
        seconds = CONTINUE_SECONDS if asked.continues else SENT_AWAY_SECONDS
        return min(_time() - seconds, asked.began)

    def _gone(self, asked: Asked) -> str:
        """How long ago the permission was last held."""
        for number in range(len(self.database.history) - 1, -1, -1):
            if asked.permission in (self.database.history[number][1].gives(asked.claims) or ()):
                if number + 1 == len(self.database.history):
                    return "it is held, at another revision than was asked for"
                return f"gone for {_time() - self.database.history[number + 1][0]:.3f} s"
        return "never held"

    def _count(self, what: str) -> None:
        self.judged[what] = self.judged.get(what, 0) + 1

    def _fault(self, what: str, asked: Asked) -> None:
        claims = asked.claims
        of = "on behalf" if claims.actor else claims.kind
        self.faults.append(
            f"{_time():.3f} {what} [{of}, rev {claims.revision}, min {asked.min_revision},"
            f" bound {asked.bound}, began {asked.began:.3f}]"
        )


def _differences(state: State, rows: Rows) -> list[str]:
    wrong: list[str] = []
    held = {key: said for key, (_, until, said) in rows.state.items() if until is None}
    for said in held.values():
        if said["kind"] == "role_changed":
            given = state.roles.get((said["organization"], said["role"]), frozenset())
            if given != frozenset(said["permissions"]):
                wrong.append(f"role {said['role']}")
        if said["kind"] == "organization_epoch" and (
            (UUID(said["organization"]) in state.organizations_suspended) != said["suspended"]
        ):
            wrong.append("an organization's suspension")
    for kid, key in rows.keys.items():
        known_key = state.keys.get(kid)
        if known_key is not None and known_key.revoked != (key.state == "revoked"):
            wrong.append("a key's revocation")
    return [*wrong, *_grants_apart(state, rows)]


def _memberships_apart(state: State, rows: Rows, later: list[Rows]) -> Iterator[str]:
    """What a hop has answered may be newer than the revision that it has said, and never older."""
    for (subject, organization), known in state.memberships.items():
        if known.revision > rows.revision or _membership(rows, subject, organization) is None:
            continue
        told = [_membership(each, subject, organization) for each in (rows, *later)]
        if (known.ended, sorted(known.roles)) not in [
            (each[0], sorted(each[1])) for each in told if each is not None
        ]:
            yield f"membership {known} is {told[0]}"


def _grants_apart(state: State, rows: Rows) -> Iterator[str]:
    for key, (place, grant) in rows.grants.items():
        told = key in {each.grant.id for each in state.grants.of(grant.grantee, place)}
        if told and grant.revoked_at is not None:
            yield "a grant that was taken back"
        lasts = grant.revoked_at is None and grant.ends_at > _now() + CLOCKS_APART
        if lasts and not told:
            yield "a grant that was not told"


def _membership(
    rows: Rows, subject: UUID, organization: UUID | None
) -> tuple[bool, tuple[str, ...]] | None:
    if organization is None or subject in rows.accounts:
        return None
    member = rows.members.get((subject, organization))
    if member is None:
        return None
    return (True, ()) if member.suspended else (False, member.roles)


def _now() -> datetime:
    return START + timedelta(seconds=_time())


def _time() -> float:
    return asyncio.get_running_loop().time()
