"""What people do with their own account once they are logged in, each after the password again.

A wrong password counts as an attempt to log in: who has stolen a session cannot guess it here.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from uuid import UUID

from auth.domain.accounts import Account, Purpose
from auth.domain.events import Event, MembershipChanged, SubjectEpoch
from auth.domain.memberships import check_etag
from auth.domain.messages import Channel, Message, Template
from auth.domain.passwords import check_changed, check_new_password
from auth.domain.refusals import LastAdministrator, ReauthenticationFailed, TooManyCodes
from auth.domain.sessions import forget_at
from auth.ending import end_all_of
from auth.granting import end_grants
from auth.hashing import Hashing
from auth.mail_tokens import MailTokens
from auth.password_proof import Attempted, PasswordProof, clear
from auth.posting import Post
from auth.refusing import record_refusal
from auth.storage.store import Store, Tx
from core import clock, identity
from core.errors import NotFound


class OwnAccount:
    """Acts of the caller on their own account."""

    def __init__(
        self, store: Store, hashing: Hashing, proof: PasswordProof, tokens: MailTokens, post: Post
    ) -> None:
        self._store = store
        self._hashing = hashing
        self._proof = proof
        self._tokens = tokens
        self._post = post

    async def get(self, tx: Tx) -> Account:
        """The caller's. Raises NotFound for a program, which has none."""
        account = await tx.users.get(_caller())
        if account is None:
            raise NotFound
        return account

    async def update(self, etag: str, changes: Mapping[str, object]) -> Account:
        """Change what the person says of themselves. Raises EtagMismatch."""
        async with self._store.begin() as tx:
            held = await tx.users.lock(_caller())
            if held is None:
                raise NotFound
            check_etag(held.revision, etag)
            saved = replace(held, **changes, revision=held.revision + 1)  # type: ignore[arg-type]  # named by the servicer
            await tx.users.save(saved)
        return saved

    async def change_email(self, password: str, email: str) -> None:
        """Write to the new address. Raises ReauthenticationFailed and TooManyCodes."""
        account, attempted = await self._proven(password)
        async with self._store.begin() as tx:
            await clear(tx, attempted)
            allowed = await self._post.may_ask(tx, account.id, Channel.EMAIL)
        # Refused outside: that the password was right is kept, or the next log-in would wait.
        if not allowed:
            raise TooManyCodes
        async with self._store.begin() as tx:
            taken = await tx.users.find(email) is not None
            token = await self._tokens.make(
                tx, Purpose.CHANGE, account.id, {"email": email}, usable=not taken
            )
            template = Template.ACCOUNT_EXISTS if taken else Template.CONFIRM_NEW_EMAIL
            values = {} if taken else {"token": token}
            await self._post.send(
                tx, Message(Channel.EMAIL, email, template, account.language, values)
            )
            await tx.record_act(identity.call().action, subject=account.id)

    async def change_password(self, current: str, new: str, *, end_others: bool) -> int:
        """Set another password; the revision from which it holds.

        Raises ReauthenticationFailed, InvalidField and PasswordTooCommon.
        """
        check_changed(current, new, field="new_password")
        check_new_password(new, field="new_password")
        account, attempted = await self._proven(current)
        context = [account.email, account.display_name]
        password_hash = await self._hashing.hash(new, context, field="new_password")
        now = clock.now()
        async with self._store.begin() as tx:
            await _hold(tx, account)
            await clear(tx, attempted)
            await tx.users.set_password(account.id, password_hash)
            await tx.mail_tokens.void_of(account.id, now)
            await self._tell(tx, account, Template.PASSWORD_CHANGED)
            await tx.record_act(identity.call().action, subject=account.id)
            if not end_others:
                return await tx.state.settled()
            _, revision = await end_all_of(tx, account.id, identity.caller().session)
            return revision

    async def deactivate(self, password: str) -> int:
        """Shut the account until a reset of its password; the revision from which it is shut.

        Raises ReauthenticationFailed and LastAdministrator.
        """
        now = clock.now()
        account, attempted = await self._proven(password)
        async with self._store.begin() as tx:
            await _refuse_last_administrator(tx, account)
            await _hold(tx, account)
            await clear(tx, attempted)
            await tx.users.shut(account.id, now, deactivated=True)
            await tx.mail_tokens.void_of(account.id, now)
            await self._tell(tx, account, Template.ACCOUNT_DEACTIVATED)
            await tx.record_act(identity.call().action, subject=account.id)
            _, revision = await end_all_of(tx, account.id)
            return revision

    async def delete(self, password: str) -> int:
        """Remove what is the person's; the revision from which nobody is them any more.

        Raises ReauthenticationFailed and LastAdministrator.
        """
        now = clock.now()
        account, attempted = await self._proven(password)
        async with self._store.begin() as tx:
            await _refuse_last_administrator(tx, account)
            await _hold(tx, account)
            await clear(tx, attempted)
            await self._tell(tx, account, Template.ACCOUNT_DELETED)
            left = await tx.users.leave_everywhere(account.id)
            ended = [await end_grants(tx, account.id, each, now) for each in left]
            await tx.sessions.revoke_all(account.id, now)
            await tx.sessions.forget_peers(account.id)
            await tx.mail_tokens.void_of(account.id, now)
            for factor in await tx.factors.of(account.id):
                await tx.factors.remove(factor.id, account.id)
            await tx.users.erase(account.id, now)
            await tx.record_act(identity.call().action, subject=account.id)
            await tx.activities.erase(account.id)
            forgotten = forget_at(now)
            events: list[Event] = [SubjectEpoch(account.id, forgotten)]
            events += [
                MembershipChanged(account.id, each, (), ended=True, forget_at=forgotten)
                for each in left
            ]
            return await tx.state.publish([*events, *chain.from_iterable(ended)])

    async def _proven(self, password: str) -> tuple[Account, Attempted]:
        """The caller's account, after its password. Raises ReauthenticationFailed."""
        async with self._store.begin(read_only=True) as tx:
            account = await self.get(tx)
        attempted = await self._proof.attempt(account.email, password)
        if not attempted.proven or attempted.user != account.id:
            await record_refusal(
                self._store, identity.call().action, account.id, ReauthenticationFailed.reason
            )
            raise ReauthenticationFailed
        return account, attempted

    async def _tell(self, tx: Tx, account: Account, template: Template) -> None:
        await self._post.send(tx, Message(Channel.EMAIL, account.email, template, account.language))


async def _hold(tx: Tx, proven: Account) -> None:
    """Hold the account as it was when its password was looked at.

    Raises ReauthenticationFailed when it got another one, or was shut, in between.
    """
    held = await tx.users.lock(proven.id)
    if held is None or not held.enabled or held.password_hash != proven.password_hash:
        raise ReauthenticationFailed


async def _refuse_last_administrator(tx: Tx, account: Account) -> None:
    if await tx.users.administered_alone(account.id):
        raise LastAdministrator


def _caller() -> UUID:
    caller = identity.caller()
    if caller.subject is None:
        raise LookupError("a caller of a method that is not public has been proven")
    return caller.subject
