"""Which service account appends as which source."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from compliance.commands import run
from compliance.domain.sources import SourceNotYours
from compliance.servicers.appending import claim
from compliance.storage.store import Store
from core import identity
from core.ids import new_id
from tests.support.postgres import ServiceDatabase


def become(account: UUID) -> None:
    """Go on as another service account."""
    current = identity.call()
    caller = replace(current.caller, subject=account)
    identity.enter(replace(current, caller=caller))


async def test_the_first_account_has_the_source(store: Store, compliance: ServiceDatabase) -> None:
    """It goes on having it, whatever others try; the trail of the platform has it once."""
    first = identity.caller().subject
    await claim(store, "clinical")
    await claim(store, "clinical")

    become(new_id())
    with pytest.raises(SourceNotYours):
        await claim(store, "clinical")
    await claim(store, "auth")

    held = compliance.rows("SELECT account FROM audit_source WHERE source = 'clinical'")
    assert held == [{"account": first}]
    told = compliance.rows("SELECT organization_id, resource FROM medhub.audit_outbox ORDER BY seq")
    platform = UUID(int=0)
    assert told == [
        {"organization_id": platform, "resource": "auditSources/clinical"},
        {"organization_id": platform, "resource": "auditSources/auth"},
    ]


async def test_of_accounts_that_come_first_at_once_one_has_it(store: Store) -> None:
    """The others are refused."""

    async def one() -> bool:
        become(new_id())
        try:
            await claim(store, "clinical")
        except SourceNotYours:
            return False
        return True

    answers = await asyncio.gather(*(one() for _ in range(8)))

    assert sorted(answers) == [False] * 7 + [True]


async def test_an_operator_forgets_who_has_a_source(
    store: Store, compliance: ServiceDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next account has it then; the act stands in the trail. What nobody has is refused."""
    monkeypatch.setenv("MEDHUB_COMPLIANCE_DATABASE_APP_URL", compliance.urls.app)
    await claim(store, "clinical")

    codes = [await asyncio.to_thread(run, ["rebind", "clinical"]) for _ in range(2)]

    assert codes == [0, 1]
    become(new_id())
    await claim(store, "clinical")
    acts = compliance.rows("SELECT operation, resource FROM medhub.audit_outbox WHERE kind = 'act'")
    assert acts == [{"operation": "compliance.sources.rebind", "resource": "auditSources/clinical"}]
