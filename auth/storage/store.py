"""The database of auth: transactions that know its nouns."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import UUID

from sqlalchemy import text

from auth.storage.access_grants import AccessGrants
from auth.storage.activations import Activations
from auth.storage.activities import Activities
from auth.storage.attempts import Attempts
from auth.storage.challenges import Challenges
from auth.storage.dashboards import Dashboards
from auth.storage.factors import Factors
from auth.storage.identity_providers import IdentityProviders
from auth.storage.keys import Keys
from auth.storage.mail_tokens import MailTokens
from auth.storage.memberships import Memberships
from auth.storage.messages import Messages
from auth.storage.organizations import Organizations
from auth.storage.principals import Principals
from auth.storage.rights import Rights
from auth.storage.roles import Roles
from auth.storage.service_accounts import ServiceAccounts
from auth.storage.sessions import Sessions
from auth.storage.state import State
from auth.storage.users import Users
from core import identity
from core.database import Database, Earlier, Transaction, statement
from core.identity import Call, Caller, Kind

_TAKE_TURNS = statement(text("SELECT pg_advisory_xact_lock(hashtext('medhub.auth.set_up'))"))


class Tx:
    """One transaction, with one attribute per noun."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.access_grants = AccessGrants(tx)
        self.activities = Activities(tx)
        self.activations = Activations(tx)
        self.attempts = Attempts(tx)
        self.identity_providers = IdentityProviders(tx)
        self.challenges = Challenges(tx)
        self.factors = Factors(tx)
        self.dashboards = Dashboards(tx)
        self.keys = Keys(tx)
        self.mail_tokens = MailTokens(tx)
        self.memberships = Memberships(tx)
        self.messages = Messages(tx)
        self.organizations = Organizations(tx)
        self.principals = Principals(tx)
        self.rights = Rights(tx)
        self.roles = Roles(tx)
        self.service_accounts = ServiceAccounts(tx)
        self.sessions = Sessions(tx)
        self.state = State(tx)
        self.users = Users(tx)

    async def first_try(self) -> Earlier | None:
        """What an earlier call with this request_id made (AIP-155)."""
        return await self._tx.first_try()

    async def remember(self, name: str, revision: int) -> None:
        """Say what this request made, for those who repeat it."""
        await self._tx.remember(name, revision)

    async def record_act(
        self,
        act: str,
        *,
        subject: UUID | None = None,
        subject_kind: str = "user",
        resource: str = "",
        **detail: object,
    ) -> None:
        """Write an audit event for what is no change of a row.

        What is about a person's account they see themselves, too.
        """
        if subject is not None and subject_kind == "user":
            outcome = str(detail.get("outcome", "OK"))
            by_others = self._tx.subject not in (None, subject)
            self.activities.add(subject, act, outcome, by_others=by_others)
        await self._tx.record_act(
            act,
            subject=subject,
            subject_kind=subject_kind if subject else "",
            resource=resource,
            detail=detail,
        )

    async def take_turns(self) -> None:
        """Wait for whoever else sets the service up, until the transaction ends."""
        await self._tx.one(_TAKE_TURNS)


class Store:
    """Opens transactions of auth."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def begin(self, *, read_only: bool = False) -> AsyncIterator[Tx]:
        """A transaction of the call in progress."""
        async with self._database.begin(read_only=read_only) as tx:
            yield Tx(tx)

    @asynccontextmanager
    async def begin_as(self, call: Call) -> AsyncIterator[Tx]:
        """A transaction of work that is done as `call` says."""
        async with self._database.begin_as(call) as tx:
            yield Tx(tx)

    def begin_for(
        self,
        subject: UUID | None,
        organization: UUID | None,
        session: UUID | None = None,
        kind: Kind = Kind.USER,
    ) -> AbstractAsyncContextManager[Tx]:
        """A transaction of the call in progress, acting as somebody whom it has just proven."""
        caller = Caller(kind=kind, subject=subject, organization=organization, session=session)
        return self.begin_as(_call_of(caller))


def _call_of(caller: Caller) -> Call:
    """The call in progress in the name of `caller`."""
    current = identity.call()
    return Call(
        method=current.method,
        caller=caller,
        action=current.action,
        purpose=current.purpose,
        trace_id=current.trace_id,
        peer=current.peer,
        agent=current.agent,
        certificate=current.certificate,
        deadline=current.deadline,
        request_id=current.request_id,
        request_hash=current.request_hash,
        language=current.language,
    )
