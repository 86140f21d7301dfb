"""How people get an account by themselves, and prove the address of one.

Nobody has an account before they have proven their address: what a stranger asks for in somebody
else's name is a mail to that person, and a row that goes within a day. Whoever presents the token
chooses the password, so no account waits for its owner with a stranger's password. Answer, work and
time are the same whether an address has an account or not.
"""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from auth.domain.accounts import Purpose
from auth.domain.bindings import Held
from auth.domain.emails import domain_of, email_key
from auth.domain.memberships import Membership
from auth.domain.messages import Channel, Message, Template
from auth.domain.refusals import RegistrationRefused, VerificationRefused
from auth.hashing import Hashing
from auth.invitations import membership_changed
from auth.mail_tokens import MailToken, MailTokens
from auth.posting import Post
from auth.storage.store import Store, Tx
from core import clock, identity
from core.database import ConstraintViolated
from core.ids import name_of, new_id


class Registration:
    """Registers people and proves addresses."""

    def __init__(self, store: Store, hashing: Hashing, tokens: MailTokens, post: Post) -> None:
        self._store = store
        self._hashing = hashing
        self._tokens = tokens
        self._post = post

    async def register(
        self, organization: UUID, email: str, display_name: str, language: str
    ) -> None:
        """Write to the address. Raises RegistrationRefused, whoever has it."""
        async with self._store.begin() as tx:
            await _roles_given(tx, organization, email, RegistrationRefused)
            content = {
                "email": email,
                "display_name": display_name,
                "language": language or identity.call().language,
                "organization": str(organization),
            }
            account = await tx.users.of_address(email)
            taken = account is not None
            token = await self._tokens.make(tx, Purpose.REGISTER, None, content, usable=not taken)
            if account is not None:
                # In the person's own language, whoever wrote their address.
                content["language"] = account.language
            await self._post.send(tx, _message(content, "" if taken else token))
            await tx.record_act(
                identity.call().action, resource=name_of("organizations", organization)
            )

    async def resend(self, email: str) -> None:
        """Write again to whoever has something to verify; to nobody else, and nobody sees it."""
        async with self._store.begin() as tx:
            account = await tx.users.of_address(email)
            pending = await self._tokens.newest(tx, Purpose.REGISTER, email)
            user, content = None, {"email": email, "language": identity.call().language}
            purpose, usable = Purpose.REGISTER, False
            if account is not None:
                unproven = account.enabled and account.email_verified_at is None
                purpose, usable, user = Purpose.VERIFY, unproven, account.id
                content = {"email": account.email, "language": account.language}
            elif pending is not None:
                usable, content = True, dict(pending.content)
            token = await self._tokens.make(tx, purpose, user, content, usable=usable)
            message = _message(content, token)
            if usable:
                await self._post.send(tx, message)
            else:
                await self._post.pretend(tx, message)
            await tx.record_act(identity.call().action, subject=user)

    async def verify(self, token: str, password: str) -> UUID:
        """Take a token; whose address it has proven. Raises VerificationRefused.

        For a registration the password becomes the first one: raises InvalidField or
        PasswordTooCommon, and spends no token then.
        """
        async with self._store.begin() as tx:
            found = await self._tokens.find(tx, token)
        if found is None:
            raise VerificationRefused
        if found.purpose is Purpose.REGISTER:
            return await self._make_account(found, password)
        if found.purpose in (Purpose.VERIFY, Purpose.CHANGE) and found.user is not None:
            return await self._prove(found, found.user)
        raise VerificationRefused

    async def _make_account(self, token: MailToken, password: str) -> UUID:
        content, user = token.content, new_id()
        organization = UUID(content["organization"])
        async with self._store.begin() as tx:
            known = await tx.organizations.get(organization)
        context = [content["email"], content["display_name"], known.display_name if known else ""]
        password_hash = await self._hashing.hash(password, context)
        async with self._store.begin_for(user, organization) as tx:
            # Before the token, as whoever accepts an invitation does: nobody waits in a circle.
            held = await tx.memberships.lock_address(content["email"])
            await self._use(tx, token)
            await _add_account(tx, user, content, password_hash)
            await _join(tx, held, user, organization, content)
            await tx.record_act(identity.call().action, subject=user)
        return user

    async def _prove(self, token: MailToken, user: UUID) -> UUID:
        now, email = clock.now(), token.content["email"]
        async with self._store.begin_for(user, None) as tx:
            held = await tx.users.lock(user)
            await self._use(tx, token)
            if held is None or not held.enabled:
                raise VerificationRefused
            if token.purpose is Purpose.CHANGE:
                try:
                    await tx.users.set_email(user, email, now)
                except ConstraintViolated:
                    raise VerificationRefused from None
                notice = Message(Channel.EMAIL, held.email, Template.EMAIL_CHANGED, held.language)
                await self._post.send(tx, notice)
            elif email_key(email) == email_key(held.email):
                await tx.users.verify(user, now)
            else:
                # The account has got another address since.
                raise VerificationRefused
            await tx.record_act(identity.call().action, subject=user)
        return user

    @staticmethod
    async def _use(tx: Tx, token: MailToken) -> None:
        if not await tx.mail_tokens.use(token.id, clock.now()):
            raise VerificationRefused


async def _roles_given(
    tx: Tx, organization: UUID, email: str, refusal: type[Exception]
) -> tuple[str, ...]:
    """The roles of who registers. Raises `refusal` where the organization takes no such person."""
    known = await tx.organizations.get(organization)
    if known is None or known.suspended_at is not None:
        raise refusal
    settings = await tx.organizations.settings(organization)
    domains = {email_key(domain) for domain in settings.registration_domains}
    if not settings.self_registration or (domains and domain_of(email) not in domains):
        raise refusal
    return settings.registration_roles


async def _add_account(tx: Tx, user: UUID, content: Mapping[str, str], password_hash: str) -> None:
    added = await tx.users.add(user, content["email"], clock.now(), password_hash, verified=True)
    if not added:
        raise VerificationRefused
    await tx.users.introduce(user, content["display_name"], content["language"])


async def _join(
    tx: Tx, held: Membership | None, user: UUID, organization: UUID, content: Mapping[str, str]
) -> None:
    """Make the person a member: as they were invited, or with the roles of whoever registers."""
    now, email = clock.now(), content["email"]
    if held is None:
        roles = await _roles_given(tx, organization, email, VerificationRefused)
        held = Membership(
            id=new_id(),
            organization=organization,
            user=user,
            email=email,
            display_name=content["display_name"],
            held=Held(tuple(sorted(roles))),
            suspended_at=None,
            invitation_expires_at=None,
            created_at=now,
            updated_at=now,
            revision=1,
        )
        await tx.memberships.add(held)
    elif held.acceptable:
        await tx.memberships.accept(held.id, user, now)
        await tx.activations.cancel(held.id, now)
    else:
        raise VerificationRefused
    await tx.state.publish([membership_changed(replace(held, user=user), user)])


def _message(content: Mapping[str, str], token: str) -> Message:
    """With a token the address is to be proven; without, it has an account already."""
    return Message(
        Channel.EMAIL,
        content["email"],
        Template.VERIFY_EMAIL if token else Template.ACCOUNT_EXISTS,
        content["language"],
        {"token": token} if token else {},
    )
