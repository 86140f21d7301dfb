"""Where each service keeps what it holds: its database as app and as owner, and its keyring."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretBytes, SecretStr

import analytics.storage.organization_data
import analytics.storage.subject_data
import auth.storage.organization_data
import auth.storage.subject_data
import billing.storage.organization_data
import billing.storage.subject_data
import clinical.storage.organization_data
import clinical.storage.subject_data
import compliance.servicers.organization_data
import compliance.servicers.subject_data
from clinical.storage.tables import organization_key
from core import starting
from core.contract import everything
from core.crypto.keyring import Keyring
from core.crypto.organization_keys import OrganizationKeys
from core.crypto.unlocking import KeyFile, secret_of
from core.database import Database, DatabaseSettings
from core.offboarding.belongings import Belongings
from core.offboarding.destruction import Destruction
from core.settings import PAGE_KEY_BYTES
from core.subject.holdings import Holdings
from hub.layout import Layout
from hub.services import Service

ORDER = (Service.CLINICAL, Service.BILLING, Service.AUTH, Service.ANALYTICS, Service.COMPLIANCE)
"""Compliance is last: the others' records travel to it, and to analytics, while they last."""


class Unplaced(Exception):
    """It is not known where a service keeps its data; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Place:
    """One service's own."""

    service: Service
    app_url: str
    owner_url: str
    keyring: Keyring

    def belongings(self) -> Belongings:
        """What the service holds of organizations, by its own declaration."""
        # Tables name the fields of the contract, which have to be known.
        everything()
        match self.service:
            case Service.AUTH:
                return auth.storage.organization_data.belongings()
            case Service.BILLING:
                return billing.storage.organization_data.belongings()
            case Service.ANALYTICS:
                return analytics.storage.organization_data.belongings()
            case Service.COMPLIANCE:
                return compliance.servicers.organization_data.belongings(self.keyring)
            case Service.CLINICAL:
                keys = OrganizationKeys(organization_key, self.keyring)
                return clinical.storage.organization_data.belongings(keys)

    def holdings(self) -> Holdings:
        """What the service holds of persons, by its own declaration."""
        everything()
        match self.service:
            case Service.AUTH:
                return auth.storage.subject_data.holdings()
            case Service.BILLING:
                return billing.storage.subject_data.holdings()
            case Service.ANALYTICS:
                return analytics.storage.subject_data.holdings()
            case Service.COMPLIANCE:
                return compliance.servicers.subject_data.holdings(self.keyring)
            case Service.CLINICAL:
                keys = OrganizationKeys(organization_key, self.keyring)
                return clinical.storage.subject_data.holdings(keys)

    def destruction(self) -> Destruction:
        """The owner's part."""
        return Destruction(self.owner_url, self.belongings(), self.keyring)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """The rows, as the service's own role sees them."""
        database = Database(_settings(self.app_url, self.owner_url))
        await database.open()
        try:
            yield database
        finally:
            await database.close()


def _settings(app_url: str, owner_url: str) -> DatabaseSettings:
    return DatabaseSettings(
        app_url=SecretStr(app_url),
        owner_url=SecretStr(owner_url),
        page_key=SecretBytes(os.urandom(PAGE_KEY_BYTES)),  # Nothing is listed by pages here.
    )


def place_of(layout: Layout, service: Service) -> Place:
    """A service of a platform that `medhub up` runs."""
    urls, own = layout.database(service), layout.of(service)
    keyring = Keyring.open(own.keyring(), KeyFile(own.keyring_key()))
    return Place(service, urls.app, urls.owner, keyring)


def of_layout(layout: Layout) -> list[Place]:
    """All services of a platform that `medhub up` runs, in their order."""
    return [place_of(layout, service) for service in ORDER]


def of_environment(told: Mapping[str, str]) -> list[Place]:
    """The services as the environment names them, MEDHUB_<SERVICE>_…; raises Unplaced."""
    return [place_told(service, told) for service in ORDER]


def place_told(service: Service, told: Mapping[str, str]) -> Place:
    """A service as the environment names it; raises Unplaced."""
    prefix = f"MEDHUB_{service.upper()}_"
    names = ("DATABASE_APP_URL", "DATABASE_OWNER_URL", "KEYRING_PATH")
    missing = [prefix + name for name in names if not told.get(prefix + name)]
    key, words = told.get(f"{prefix}KEYRING_KEY_PATH"), told.get(f"{prefix}KEYRING_PASSPHRASE")
    if not key and not words:
        missing.append(f"{prefix}KEYRING_KEY_PATH")
    if missing:
        raise Unplaced(f"set {', '.join(missing)}")
    secret = secret_of(Path(key) if key else None, words or "")
    app, owner, keyring = (told[prefix + name] for name in names)
    try:
        starting.told(lambda: _settings(app, owner), f"{prefix}DATABASE_")
    except starting.CannotStart as fault:
        raise Unplaced(str(fault)) from None
    return Place(service, app, owner, Keyring.open(Path(keyring), secret))
