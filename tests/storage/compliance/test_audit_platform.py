"""The platform's own log, read by whoever holds the database."""

from pathlib import Path

from compliance.servicers.appending import append
from compliance.storage.store import Store
from core.crypto.keyring import Keyring
from core.crypto.unlocking import Passphrase
from core.database.context import PLATFORM
from hub.audit_platform import shown
from hub.places import Place
from hub.services import Service
from tests.support.audit import arrivals, events
from tests.support.postgres import ServiceDatabase

ROUTINE = "medhub.auth.v1.AuthService/IssueServiceToken"


async def test_the_newest_acts_are_shown_of_a_log_that_holds(
    store: Store, compliance: ServiceDatabase, tmp_path: Path
) -> None:
    """Without the tokens of servers, unless everything is asked for."""
    acts = events(PLATFORM, range(1, 4), method="auth.server/Lock")
    tokens = events(PLATFORM, range(4, 9), method=ROUTINE)
    await append(store, arrivals([*acts, *tokens]))
    ring = Keyring.open(tmp_path / "keyring.json", Passphrase("of the tests", cost=2))
    place = Place(Service.COMPLIANCE, compliance.urls.app, compliance.urls.owner, ring)

    report, newest = await shown(place, tmp_path / "trust", 2)
    _, every = await shown(place, tmp_path / "trust", 9, everything=True)

    assert (report.holds, report.organization) == (True, PLATFORM)
    assert [event.source_seq for event in newest] == [3, 2]
    assert [event.source_seq for event in every] == [8, 7, 6, 5, 4, 3, 2, 1]
