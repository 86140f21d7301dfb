"""The only file that knows every part of auth."""

import asyncio
import logging
import os
from collections.abc import Coroutine, Mapping

from pydantic import SecretBytes

from auth.answering import Answering
from auth.delivery import Delivery
from auth.enrolment import Enrolment
from auth.factor_resets import FactorResets
from auth.federation import Federation
from auth.feed import Feed, follow
from auth.formats.passkeys import Party
from auth.hashing import Hashing
from auth.housekeeping import Housekeeping
from auth.login import LogIn
from auth.mail_tokens import MailTokens
from auth.offering import Offering
from auth.openid_client import Providers, Reach
from auth.opening import Opening
from auth.own_account import OwnAccount
from auth.passkey_login import PasskeyLogIn
from auth.password_proof import PasswordProof
from auth.posting import Post
from auth.providers import providers
from auth.proving import Proving
from auth.reauthentication import Reauthentication
from auth.recovery import Recovery
from auth.registration import Registration
from auth.rotation import Rotation
from auth.sealing import CLIENT_SECRETS, Sealing
from auth.sent_codes import SentCodes
from auth.servicers.access_grants import AccessGrants
from auth.servicers.accounts import Accounts
from auth.servicers.auth import Authentication
from auth.servicers.auth_state import AuthState
from auth.servicers.factors import Factors
from auth.servicers.federated_login import FederatedLogins
from auth.servicers.identity_providers import IdentityProviders
from auth.servicers.keys import Keys
from auth.servicers.memberships import Memberships
from auth.servicers.organizations import Organizations
from auth.servicers.permissions import catalogue
from auth.servicers.roles import Roles
from auth.servicers.service_accounts import ServiceAccounts
from auth.servicers.sessions import Sessions
from auth.settings import (
    FederationSettings,
    FoundingSettings,
    KeySettings,
    MessageSettings,
    PasskeySettings,
)
from auth.signing import Signer, set_up
from auth.storage.store import Store
from auth.storage.subject_data import holdings
from core import service, tasks
from core.database import Database, DatabaseSettings
from core.service import Core
from core.settings import PAGE_KEY_BYTES
from core.starting import in_words
from core.subject.servicer import SubjectData
from core.truth import Truth

_PACKAGE = "medhub.auth.v1"
FEED_CONNECTIONS = 2  # for its reads, and for the snapshots of new followers
RETRY_SECONDS = 1.0  # until the database is there and migrated
_log = logging.getLogger("medhub.auth")


class Auth:
    """The parts of one auth server. Its own truth comes from its own feed and database."""

    def __init__(
        self,
        messages: MessageSettings,
        passkeys: PasskeySettings | None = None,
        founding: FoundingSettings | None = None,
    ) -> None:
        self._messages = messages
        self._party = party_of(passkeys or PasskeySettings())
        self._founding = founding or FoundingSettings()
        self._store: Store | None = None
        self._feed: Feed | None = None

    async def make_truth(self, core: Core) -> Truth:
        """Start what the truth needs: the feed, and who follows it in this process."""
        store = self._store = Store(core.database)
        feed = self._feed = Feed(await _own_store(core), core.database.url)
        feed.start()
        core.parts.push_async_callback(feed.stop)
        _keep(core, _set_up(core, store))
        _keep(core, follow(feed, core.state))
        return Truth(core.state, Proving(store).resolve, core.service)

    async def build(self, core: Core) -> Mapping[str, object]:
        """The servicers of the contract, by the full name of their service."""
        store, feed = self._store, self._feed
        if store is None or feed is None:
            raise RuntimeError("the truth is made before the servicers")
        hashing, signer, proving = Hashing(), Signer(core.keyring), Proving(store)
        secrets, directories = Sealing(signer, CLIENT_SECRETS), _identity_providers(core)
        opening = Opening(store, signer)
        core.parts.callback(hashing.close)
        core.state.changed.append(lambda: signer.heed(core.state.keys))
        housekeeping = Housekeeping(store)
        rotation = Rotation(store, core.keyring, KeySettings.read().key_age)
        for work in (housekeeping, rotation):
            work.start()
            core.parts.push_async_callback(work.stop)
        post = Post(core.keyring)
        _deliver(core, store, post, self._messages)
        proof, tokens = PasswordProof(store, hashing, signer), MailTokens(core.keyring)
        offering = Offering(signer, post, mailed=self._messages.mail == "smtp")
        return {
            f"{_PACKAGE}.AccountService": Accounts(
                store,
                core.pages,
                Registration(store, hashing, tokens, post),
                Recovery(store, hashing, proof, tokens, post),
                OwnAccount(store, hashing, proof, tokens, post),
            ),
            f"{_PACKAGE}.AccessGrantService": AccessGrants(store, core.pages, post),
            f"{_PACKAGE}.AuthService": Authentication(store, hashing, signer, proving, proof),
            f"{_PACKAGE}.AuthStateService": AuthState(feed, proving),
            f"{_PACKAGE}.KeyService": Keys(core.state),
            f"{_PACKAGE}.FederatedLoginService": FederatedLogins(
                Federation(store, signer, secrets, directories, opening)
            ),
            f"{_PACKAGE}.IdentityProviderService": IdentityProviders(
                store, core.pages, secrets, directories.reach
            ),
            f"{_PACKAGE}.FactorService": factors(store, hashing, signer, proof, post, self._party),
            f"{_PACKAGE}.MembershipService": Memberships(store, core.pages, offering),
            f"{_PACKAGE}.OrganizationService": Organizations(
                store, signer, founding=self._founding.open_founding
            ),
            f"{_PACKAGE}.RoleService": Roles(store, core.pages, catalogue()),
            f"{_PACKAGE}.ServiceAccountService": ServiceAccounts(store, core.pages),
            f"{_PACKAGE}.SessionService": Sessions(store, core.pages),
            "medhub.subject.v1.SubjectService": SubjectData(
                core.database, holdings(), core.keyring
            ),
        }


def _identity_providers(core: Core) -> Providers:
    """The client of organizations' identity providers, closed with the server."""
    settings = FederationSettings.read()
    made = Providers(Reach(settings.hosts(), settings.identity_provider_loopback))
    core.parts.push_async_callback(made.close)
    return made


def party_of(settings: PasskeySettings) -> Party:
    """Who asks for passkeys."""
    return Party(settings.passkey_domain, settings.passkey_name, settings.origins())


def factors(
    store: Store,
    hashing: Hashing,
    signer: Signer,
    proof: PasswordProof,
    post: Post,
    party: Party,
) -> Factors:
    """The FactorService and its parts."""
    opening = Opening(store, signer)
    codes = SentCodes(signer, post)
    log_in = LogIn(store, proof, opening)
    return Factors(
        store,
        Enrolment(store, hashing, signer, post, codes, party),
        Answering(store, hashing, signer, opening, codes, party),
        PasskeyLogIn(store, opening, party),
        Reauthentication(store, log_in, opening),
        FactorResets(store, post),
    )


async def _own_store(core: Core) -> Store:
    """Connections of the feed's own: no rush of calls can make it fall silent."""
    page_key = SecretBytes(os.urandom(PAGE_KEY_BYTES))  # The feed lists nothing.
    url = core.settings.database_app_url
    database = Database(
        DatabaseSettings(app_url=url, page_key=page_key, pool_size=FEED_CONNECTIONS)
    )
    await database.open()
    core.parts.push_async_callback(database.close)
    return Store(database)


def _deliver(core: Core, store: Store, post: Post, settings: MessageSettings) -> None:
    """Send what is queued, for the life of the server."""
    delivery = Delivery(
        store, post, providers(settings, core.parts), settings.portal_url.rstrip("/")
    )
    if "off" in (settings.mail, settings.sms):
        _log.warning("messages do not leave: mail %s, sms %s", settings.mail, settings.sms)
    delivery.start()
    core.parts.push_async_callback(delivery.stop)


async def _set_up(core: Core, store: Store) -> None:
    """Publish keys and roles, as soon as the database is there and migrated."""
    while True:
        try:
            await set_up(store, core.keyring)
            return
        except Exception as away:  # noqa: BLE001 - not ready is no reason to die
            _log.info("not set up yet: %s", type(away).__name__)
            await asyncio.sleep(RETRY_SECONDS)


def _keep(core: Core, work: Coroutine[None, None, None]) -> None:
    """Run work for the life of the server."""
    task = asyncio.ensure_future(work)

    core.parts.push_async_callback(tasks.end, task)


def serve() -> None:
    """Run the server until it is told to stop."""
    with in_words():
        auth = Auth(MessageSettings.read(), PasskeySettings.read(), FoundingSettings.read())
    service.run("auth", auth.build, auth.make_truth)
