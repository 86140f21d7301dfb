"""Auth for tests: its database with keys and roles, people, and servicers called as functions."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auth import bootstrap
from auth.domain.messages import Template
from auth.domain.roles import ADMINISTRATOR, permissions_of
from auth.formats.passkeys import Party
from auth.hashing import Hashing
from auth.mail_tokens import MailTokens
from auth.offering import Offering
from auth.own_account import OwnAccount
from auth.password_proof import PasswordProof
from auth.posting import Post
from auth.proving import Proving
from auth.recovery import Recovery
from auth.registration import Registration
from auth.server import factors
from auth.servicers.access_grants import AccessGrants
from auth.servicers.accounts import Accounts
from auth.servicers.auth import Authentication
from auth.servicers.factors import Factors
from auth.servicers.memberships import Memberships
from auth.servicers.organizations import Organizations
from auth.servicers.permissions import catalogue
from auth.servicers.roles import Roles
from auth.servicers.service_accounts import ServiceAccounts
from auth.servicers.sessions import Sessions
from auth.signing import Signer, set_up
from auth.storage.store import Store
from core import identity
from core.crypto.keyring import Keyring
from core.crypto.unlocking import Passphrase
from core.database import Database
from core.database.pages import PageTokens
from core.identity import Call, Caller, Kind
from medhub.auth.v1 import auth_service_pb2 as wire
from tests.support.mails import kept_messages
from tests.support.postgres import PAGE_KEY, ServiceDatabase

PASSWORD = "bright-kestrel-orbit-41"
OTHER_PASSWORD = "tilleul-harfang-8-grue"
PARTY = Party("localhost", "medhub", ("http://localhost:18400",))
CHEAP = 4  # scrypt's cost for a keyring of tests


@dataclass
class Clinic:
    """An organization with an administrator, as the bootstrap makes them."""

    organization: UUID
    administrator: UUID
    email: str


@dataclass
class Auth:
    """Auth's storage and servicers over a fresh database."""

    rows: Callable[..., list[dict[str, Any]]]
    database: Database
    owner_url: str
    store: Store
    keyring: Keyring
    hashing: Hashing
    signer: Signer
    proving: Proving
    auth: Authentication
    access_grants: AccessGrants
    memberships: Memberships
    organizations: Organizations
    roles: Roles
    sessions: Sessions
    service_accounts: ServiceAccounts
    accounts: Accounts
    factors: Factors
    post: Post
    clinics: list[Clinic] = field(default_factory=list)

    async def clinic(self, name: str = "Clinique du Parc") -> Clinic:
        """An organization whose administrator can log in with PASSWORD."""
        email = f"admin@{name.replace(' ', '-').lower()}.test"
        organization = await bootstrap.organization(self.store, name, test=True)
        user = await self.user(organization, email, ADMINISTRATOR)
        self.clinics.append(Clinic(organization, user, email))
        return self.clinics[-1]

    async def user(self, organization: UUID, email: str, *roles: str) -> UUID:
        """A member who can log in with PASSWORD."""
        return await bootstrap.user(
            self.store, organization, email, email.partition("@")[0], PASSWORD, roles
        )

    async def service(self, organization: UUID | None, *roles: str) -> tuple[UUID, bytes]:
        """A service account and its private key."""
        key = Ed25519PrivateKey.generate()
        account = await bootstrap.service_account(
            self.store, organization, "server", key.public_key().public_bytes_raw(), roles
        )
        return account, key.private_bytes_raw()

    async def log_in(
        self, email: str, password: str = PASSWORD, organization: str = ""
    ) -> wire.LoginResponse:
        """Log in from 192.0.2.7."""
        anonymous("Login")
        return await self.auth.Login(
            wire.LoginRequest(email=email, password=password, organization=organization)
        )

    async def mailed(self, to: str, template: Template) -> str:
        """The token of the last message to an address about something."""
        kept = await kept_messages(self.store, self.keyring)
        found = [each for each in kept if (each.to, each.template) == (to, template)]
        return found[-1].values["token"]

    async def act(self, token: str, method: str = "Test", **more: Any) -> Caller:
        """Enter a call of the token's owner, with the rights that the database gives them."""
        proven = await self.proving.prove(token)
        claims = proven.claims
        caller = Caller(
            kind=Kind(claims.kind),
            subject=claims.subject,
            organization=claims.organization,
            session=claims.session,
            roles=proven.roles,
            permissions=permissions_of(proven.roles, {}),
            assurance=claims.assurance,
            authenticated_at=claims.authenticated_at,
        )
        enter(caller, method, **more)
        return caller

    async def act_as_administrator(self, clinic: Clinic, **more: Any) -> Caller:
        """Enter a call of the clinic's administrator, who logs in for it."""
        made = await self.log_in(clinic.email, organization=f"organizations/{clinic.organization}")
        return await self.act(made.access_token, **more)

    def rewrite(self, change: str) -> None:
        """Change rows behind the service's back, as time or another version would have."""
        self.rows(f"SET session_replication_role = replica; {change}")

    def acts(self) -> list[tuple[str, dict[str, Any]]]:
        """The explicit acts in the outbox: operation and detail, oldest first."""
        found = self.rows(
            "SELECT operation, after FROM medhub.audit_outbox WHERE kind = 'act' ORDER BY seq"
        )
        return [(str(row["operation"]), row["after"]) for row in found]


def enter(caller: Caller, method: str, **more: Any) -> None:
    """Enter a call for the running task."""
    name = f"medhub.auth.v1.AuthService/{method}"
    action = f"auth.{method.lower()}"
    identity.enter(
        Call(method=name, caller=caller, action=action, purpose="care", peer="192.0.2.7", **more)
    )


def anonymous(method: str, **more: Any) -> None:
    """Enter a call of nobody yet."""
    enter(Caller(kind=Kind.ANONYMOUS), method, **more)


@pytest.fixture
async def auth(database: Callable[..., ServiceDatabase], tmp_path: Path) -> AsyncIterator[Auth]:
    """Auth, set up as a server does at its start."""
    service = database("auth")
    keyring = Keyring.create(tmp_path / "keyring", Passphrase("of tests", cost=CHEAP))
    async with service.open() as opened:
        store, hashing, signer = Store(opened), Hashing(), Signer(keyring)
        await set_up(store, keyring)
        proving, pages, post = Proving(store), PageTokens(PAGE_KEY), Post(keyring)
        proof = PasswordProof(store, hashing, signer)
        yield Auth(
            rows=service.rows,
            database=opened,
            owner_url=service.urls.owner,
            store=store,
            keyring=keyring,
            hashing=hashing,
            signer=signer,
            proving=proving,
            auth=Authentication(store, hashing, signer, proving, proof),
            memberships=Memberships(store, pages, Offering(signer, Post(keyring), mailed=False)),
            organizations=Organizations(store, signer, founding=True),
            roles=Roles(store, pages, catalogue()),
            access_grants=AccessGrants(store, pages, Post(keyring)),
            sessions=Sessions(store, pages),
            service_accounts=ServiceAccounts(store, pages),
            accounts=_accounts(store, hashing, proof, keyring),
            factors=factors(store, hashing, signer, proof, post, PARTY),
            post=post,
        )
        hashing.close()


def _accounts(store: Store, hashing: Hashing, proof: PasswordProof, keyring: Keyring) -> Accounts:
    tokens = MailTokens(keyring)
    post = Post(keyring)
    return Accounts(
        store,
        PageTokens(PAGE_KEY),
        Registration(store, hashing, tokens, post),
        Recovery(store, hashing, proof, tokens, post),
        OwnAccount(store, hashing, proof, tokens, post),
    )
