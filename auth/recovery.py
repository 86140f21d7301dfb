"""A forgotten password: a token by mail, once, for twenty minutes, that opens nothing by itself.

Whoever resets a password logs in afterwards as ever, with every further factor. All sessions end,
since who had the old password may have them.
"""

from auth.domain.accounts import Purpose
from auth.domain.messages import Channel, Message, Template
from auth.domain.passwords import check_new_password
from auth.domain.refusals import ResetRefused
from auth.ending import end_all_of
from auth.hashing import Hashing
from auth.mail_tokens import MailTokens
from auth.password_proof import PasswordProof
from auth.posting import Post
from auth.storage.store import Store
from core import clock, identity


class Recovery:
    """Resets passwords."""

    def __init__(
        self, store: Store, hashing: Hashing, proof: PasswordProof, tokens: MailTokens, post: Post
    ) -> None:
        self._store = store
        self._hashing = hashing
        self._proof = proof
        self._tokens = tokens
        self._post = post

    async def request(self, email: str) -> None:
        """Write to the address of an account; to nobody else, and nobody sees it."""
        async with self._store.begin() as tx:
            account = await tx.users.of_address(email)
            meant = account is not None and account.resettable
            to = account.email if account else email
            language = account.language if account else identity.call().language
            user = account.id if account else None
            token = await self._tokens.make(tx, Purpose.RESET, user, {"email": to}, usable=meant)
            message = Message(
                Channel.EMAIL, to, Template.RESET_PASSWORD, language, {"token": token}
            )
            if meant:
                await self._post.send(tx, message)
            else:
                await self._post.pretend(tx, message)
            await tx.record_act(identity.call().action, subject=user)

    async def reset(self, token: str, password: str) -> int:
        """Set the password; the revision from which no session of before is good.

        Raises ResetRefused, and InvalidField or PasswordTooCommon, which spend no token.
        """
        check_new_password(password, field="new_password")
        async with self._store.begin() as tx:
            found = await self._tokens.find(tx, token)
            user = found.user if found and found.purpose is Purpose.RESET else None
            account = await tx.users.get(user) if user else None
        if found is None or account is None:
            raise ResetRefused
        context = [account.email, account.display_name]
        password_hash = await self._hashing.hash(password, context, field="new_password")
        now = clock.now()
        async with self._store.begin_for(account.id, None) as tx:
            held = await tx.users.lock(account.id)
            if held is None or not held.resettable:
                raise ResetRefused
            if not await tx.mail_tokens.use(found.id, now):
                raise ResetRefused
            await tx.users.set_password(held.id, password_hash)
            if held.deactivated:
                await tx.users.shut(held.id, None, deactivated=False)
            await tx.mail_tokens.void_of(held.id, now)
            await self._proof.reopen(tx, held.email)
            notice = Message(Channel.EMAIL, held.email, Template.PASSWORD_CHANGED, held.language)
            await self._post.send(tx, notice)
            await tx.record_act(identity.call().action, subject=held.id)
            _, revision = await end_all_of(tx, held.id)
            return revision
