"""Keys of persons and months: made once, wrapped at rest, destroyed for good."""

import asyncio
from datetime import UTC, datetime

import pytest

from compliance.domain.keys import AUDIT, ORGANIZATION, KeyDestroyed, KeyWanted, SealingKey
from compliance.storage.store import Store
from core.ids import new_id
from tests.support.postgres import ServiceDatabase

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
NOVEMBER, DECEMBER = "2026-11", "2026-12"
PERSON = f"patients/{new_id()}"


async def _provision(store: Store, organization: object, *wanted: KeyWanted) -> list[SealingKey]:
    async with store.begin_for(organization) as tx:  # type: ignore[arg-type]
        return await tx.keys.provision(wanted)


async def test_a_person_has_one_key_a_month(store: Store) -> None:
    """The reference stays from month to month, the data key changes, and both are found again."""
    organization = new_id()
    wanted = [KeyWanted(PERSON, AUDIT, NOVEMBER), KeyWanted(PERSON, AUDIT, DECEMBER)]

    first = await _provision(store, organization, *wanted)
    again = await _provision(store, organization, *wanted)

    assert again == first
    assert first[0].reference == first[1].reference is not None
    assert len({key.secret for key in first}) == len({key.name for key in first}) == 2


async def test_the_organization_has_a_key_without_a_reference(store: Store) -> None:
    """What concerns nobody is sealed too, and nothing stands for a person in clear."""
    (key,) = await _provision(store, new_id(), KeyWanted(ORGANIZATION, AUDIT, NOVEMBER))

    assert key.reference is None


async def test_relays_that_want_a_key_at_once_get_the_same(store: Store) -> None:
    """Eight twins make one key for each person."""
    organization = new_id()
    wanted = [KeyWanted(f"patients/{new_id()}", AUDIT, NOVEMBER) for _ in range(5)]

    answers = await asyncio.gather(*(_provision(store, organization, *wanted) for _ in range(8)))

    assert all(answer == answers[0] for answer in answers)


async def test_an_organization_never_gets_anothers_key(store: Store) -> None:
    """One person in two organizations has two keys and two references."""
    (one,) = await _provision(store, new_id(), KeyWanted(PERSON, AUDIT, NOVEMBER))
    (other,) = await _provision(store, new_id(), KeyWanted(PERSON, AUDIT, NOVEMBER))

    assert one.reference != other.reference
    assert one.secret != other.secret


async def test_keys_open_by_name(store: Store) -> None:
    """A living key opens by the name kept beside what it sealed; another name opens nothing."""
    organization = new_id()
    (key,) = await _provision(store, organization, KeyWanted(PERSON, AUDIT, NOVEMBER))

    async with store.begin_for(organization) as tx:
        opened = await tx.keys.open([key.name, f"{new_id()}.{NOVEMBER}", "no key"])
    async with store.begin_for(new_id()) as tx:
        elsewhere = await tx.keys.open([key.name])

    assert opened == {key.name: key.secret}
    assert elsewhere == {}


async def test_a_destroyed_key_is_gone_and_no_other_is_made(
    store: Store, compliance: ServiceDatabase
) -> None:
    """After destruction neither key nor link is left, and the person gets no new one."""
    organization = new_id()
    (key,) = await _provision(store, organization, KeyWanted(PERSON, AUDIT, NOVEMBER))

    async with store.begin_for(organization) as tx:
        destroyed = await tx.keys.destroy_subject_key(PERSON, AUDIT, at=NOW)

    assert key.name.startswith(f"{destroyed}.")
    async with store.begin_for(organization) as tx:
        assert await tx.keys.open([key.name]) == {}
        assert await tx.keys.reference(PERSON, AUDIT) is None
    with pytest.raises(KeyDestroyed):
        await _provision(store, organization, KeyWanted(PERSON, AUDIT, DECEMBER))
    (row,) = compliance.rows("SELECT * FROM subject_key WHERE id = %s", destroyed)
    assert (row["subject"], row["wrapped"], row["destroyed_at"]) == (None, None, NOW)


async def test_who_never_had_a_key_can_be_forgotten(store: Store) -> None:
    """Forgetting comes before the first event too."""
    organization = new_id()

    async with store.begin_for(organization) as tx:
        assert await tx.keys.destroy_subject_key(PERSON, AUDIT, at=NOW) is None

    with pytest.raises(KeyDestroyed):
        await _provision(store, organization, KeyWanted(PERSON, AUDIT, NOVEMBER))


async def test_an_expired_month_is_gone_for_all(store: Store) -> None:
    """Without the month's key nobody's key of that month opens; other months do."""
    organization = new_id()
    november, december = await _provision(
        store,
        organization,
        KeyWanted(PERSON, AUDIT, NOVEMBER),
        KeyWanted(PERSON, AUDIT, DECEMBER),
    )

    async with store.begin_for(organization) as tx:
        await tx.keys.destroy_month_key(AUDIT, NOVEMBER, at=NOW)

    async with store.begin_for(organization) as tx:
        assert set(await tx.keys.open([november.name, december.name])) == {december.name}
    with pytest.raises(KeyDestroyed):
        await _provision(store, organization, KeyWanted(PERSON, AUDIT, NOVEMBER))


async def test_no_key_stands_in_clear_and_no_name_in_the_outbox(
    store: Store, compliance: ServiceDatabase
) -> None:
    """Rows hold wrapped keys; the records of making and destroying one name no person."""
    organization = new_id()
    (key,) = await _provision(store, organization, KeyWanted(PERSON, AUDIT, NOVEMBER))

    async with store.begin_for(organization) as tx:
        await tx.keys.destroy_subject_key(PERSON, AUDIT, at=NOW)

    rows = compliance.rows("SELECT wrapped FROM month_key")
    assert key.secret not in rows[0]["wrapped"]
    recorded = compliance.rows("SELECT * FROM medhub.audit_outbox")
    assert PERSON not in str(recorded)
    assert "compliance.keys.destroy" in [row["operation"] for row in recorded]
