"""Reading the trail: pages, filters, persons, and what is shown when keys are gone."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from compliance.domain.keys import AUDIT
from compliance.servicers.appending import append
from compliance.servicers.audit_log import AuditLog
from compliance.servicers.sealing_keys import SealingKeys
from compliance.storage.store import Store
from core.database.pages import PAGE_BYTES, PageTokens
from core.errors import InvalidPageToken, NotFound
from core.ids import new_id
from medhub.compliance.v1 import audit_service_pb2 as wire
from medhub.compliance.v1 import key_service_pb2 as keys_wire
from medhub.compliance.v1.audit_pb2 import SourceCompleteness
from medhub.event.v1.audit_event_pb2 import ActorPart, EventKind, SealedEvent, SubjectPart
from tests.support.audit import NOON, SOURCE, arrivals, clear_part, events, sealed_event
from tests.support.postgres import PAGE_KEY, ServiceDatabase, as_caller

MONTH = "2026-11"


@pytest.fixture
def log(store: Store) -> AuditLog:
    """The servicer, called as a plain function."""
    return AuditLog(store, PageTokens(PAGE_KEY))


async def _key(store: Store, organization: UUID, subject: str) -> keys_wire.SealingKey:
    wanted = keys_wire.KeyWanted(
        organization_id=str(organization), subject=subject, retention_class=AUDIT, month=MONTH
    )
    answer = await SealingKeys(store).ProvisionKeys(keys_wire.ProvisionKeysRequest(keys=[wanted]))
    return answer.keys[0]


async def _about(
    store: Store, organization: UUID, seq: int, patient: str, user: str
) -> SealedEvent:
    """An event about a patient, by a user."""
    return sealed_event(
        clear_part(organization, seq),
        (
            await _key(store, organization, patient),
            SubjectPart(subject=patient, resource=patient),
        ),
        (
            await _key(store, organization, user),
            ActorPart(actor=user, peer="192.0.2.1"),
        ),
    )


async def _read(log: AuditLog, organization: UUID, **asked: object) -> wire.ListAuditEventsResponse:
    as_caller(organization=organization)
    return await log.ListAuditEvents(wire.ListAuditEventsRequest(**asked))  # type: ignore[arg-type]


def _seqs(answer: wire.ListAuditEventsResponse) -> list[int]:
    return [event.source_seq for event in answer.audit_events]


async def test_pages_are_newest_first_and_whole(store: Store, log: AuditLog) -> None:
    """Page after page shows every event once, the newest first."""
    organization = new_id()
    await append(store, arrivals(events(organization, range(1, 8))))

    shown: list[int] = []
    token = ""
    while True:
        page = await _read(log, organization, page_size=3, page_token=token)
        shown += _seqs(page)
        token = page.next_page_token
        if not token:
            break

    assert shown == [7, 6, 5, 4, 3, 2, 1]


async def test_a_page_token_serves_its_own_list_alone(store: Store, log: AuditLog) -> None:
    """A token with another filter is refused."""
    organization = new_id()
    await append(store, arrivals(events(organization, range(1, 5))))
    page = await _read(log, organization, page_size=2)

    with pytest.raises(InvalidPageToken):
        await _read(log, organization, source=SOURCE, page_token=page.next_page_token)


async def test_filters_narrow_the_list(store: Store, log: AuditLog) -> None:
    """Source, method, kind and time each choose; together they choose what all choose."""
    organization = new_id()
    act = EventKind.EVENT_KIND_ACT
    await append(store, arrivals(events(organization, range(1, 5))))
    await append(store, arrivals(events(organization, [1, 2], source="auth", kind=act)))
    at = wire.ListAuditEventsRequest()
    at.start_time.FromDatetime(NOON + timedelta(seconds=2))
    at.end_time.FromDatetime(NOON + timedelta(seconds=4))

    async def seqs(**asked: object) -> list[int]:
        return _seqs(await _read(log, organization, **asked))

    assert await seqs(source="auth") == [2, 1]
    assert await seqs(kind=act) == [2, 1]
    assert await seqs(method="medhub.auth.v1.AuthService/LogIn") == []
    assert await seqs(start_time=at.start_time, end_time=at.end_time) == [3, 2, 2]
    assert await seqs(start_time=at.start_time, end_time=at.end_time, source=SOURCE) == [3, 2]


async def test_a_person_is_found_as_subject_and_as_actor(store: Store, log: AuditLog) -> None:
    """The filter shows what concerns a person and what they did, newest first, each once."""
    organization = new_id()
    patient, other = f"patients/{new_id()}", f"patients/{new_id()}"
    user = f"users/{new_id()}"
    batch = [
        await _about(store, organization, 1, patient, user),
        await _about(store, organization, 2, other, user),
        await _about(store, organization, 3, user, user),
    ]
    await append(store, arrivals(batch))

    by_patient = await _read(log, organization, subject=patient)
    by_user = await _read(log, organization, subject=user)
    by_nobody = await _read(log, organization, subject=f"patients/{new_id()}")

    assert (_seqs(by_patient), _seqs(by_user), _seqs(by_nobody)) == ([1], [3, 2, 1], [])
    shown = by_patient.audit_events[0]
    assert (shown.subject, shown.actor, shown.peer) == (patient, user, "192.0.2.1")


async def test_a_forgotten_person_goes_dark(store: Store, log: AuditLog) -> None:
    """After the key is destroyed the event stays, says so, and is not found by the person."""
    organization = new_id()
    patient, user = f"patients/{new_id()}", f"users/{new_id()}"
    batch = [await _about(store, organization, 1, patient, user)]
    await append(store, arrivals(batch))

    async with store.begin_for(organization) as tx:
        await tx.keys.destroy_subject_key(patient, AUDIT, at=datetime.now(UTC))

    (shown,) = (await _read(log, organization)).audit_events
    assert (shown.subject, shown.resource, shown.subject_forgotten) == ("", "", True)
    assert (shown.actor, shown.actor_forgotten) == (user, False)
    assert _seqs(await _read(log, organization, subject=patient)) == []


async def test_an_altered_sealed_part_is_told(
    store: Store, log: AuditLog, compliance: ServiceDatabase
) -> None:
    """Bytes other than those the log took in are not opened, and the event says so."""
    organization = new_id()
    patient, user = f"patients/{new_id()}", f"users/{new_id()}"
    batch = [await _about(store, organization, seq, patient, user) for seq in (1, 2)]
    await append(store, arrivals(batch))
    compliance.rows(
        "UPDATE audit_event SET sealed = (SELECT sealed FROM audit_event WHERE source_seq = 2)"
        " WHERE source_seq = 1"
    )

    newer, older = (await _read(log, organization)).audit_events

    assert (newer.sealed_altered, newer.subject) == (False, patient)
    assert (older.sealed_altered, older.subject) == (True, "")


async def test_one_event_is_read_by_name(store: Store, log: AuditLog) -> None:
    """An event is read by name in its own organization, and is not there in another."""
    organization = new_id()
    patient, user = f"patients/{new_id()}", f"users/{new_id()}"
    batch = [await _about(store, organization, 1, patient, user)]
    await append(store, arrivals(batch))
    name = f"auditEvents/{arrivals(batch)[0].event_id}"

    as_caller(organization=organization)
    shown = await log.GetAuditEvent(wire.GetAuditEventRequest(name=name))

    assert (shown.name, shown.subject, shown.leaf_index) == (name, patient, 0)
    as_caller(organization=new_id())
    with pytest.raises(NotFound):
        await log.GetAuditEvent(wire.GetAuditEventRequest(name=name))


async def test_values_are_shown_of_one_event_at_a_time(store: Store, log: AuditLog) -> None:
    """A list says what was changed; from what to what is read of each event by itself."""
    organization, patient = new_id(), f"patients/{new_id()}"
    part = SubjectPart(subject=patient, resource=patient, before="{}", after='{"sex":"F"}')
    about = (await _key(store, organization, patient), part)
    await append(store, arrivals([sealed_event(clear_part(organization, 1), about)]))

    [listed] = (await _read(log, organization, subject=patient)).audit_events
    shown = await log.GetAuditEvent(wire.GetAuditEventRequest(name=listed.name))

    assert (listed.resource, listed.before, listed.after) == (patient, "", "")
    assert (shown.resource, shown.before, shown.after) == (patient, "{}", '{"sex":"F"}')


async def test_a_page_of_large_events_ends_early(store: Store, log: AuditLog) -> None:
    """However many are asked for; all of them are shown in the end."""
    organization, patient = new_id(), f"patients/{new_id()}"
    key = await _key(store, organization, patient)
    part = SubjectPart(subject=patient, detail="x" * (PAGE_BYTES // 2))
    batch = [sealed_event(clear_part(organization, seq), (key, part)) for seq in (1, 2, 3)]
    await append(store, arrivals(batch))

    pages: list[list[int]] = []
    token = ""
    while not pages or token:
        page = await _read(log, organization, page_size=200, page_token=token)
        pages.append(_seqs(page))
        token = page.next_page_token

    assert pages == [[3], [2], [1]]


async def test_completeness_names_what_is_missing(store: Store, log: AuditLog) -> None:
    """For each source the range held and the numbers missing, the first ones too."""
    organization = new_id()
    await append(store, arrivals(events(organization, [3, 4, 7])))
    await append(store, arrivals(events(organization, [1, 2], source="auth")))

    as_caller(organization=organization)
    answer = await log.CheckCompleteness(wire.CheckCompletenessRequest())

    assert answer.tree_size == 5
    assert [_told(source) for source in answer.sources] == [
        ("auth", 1, 2, 2, []),
        (SOURCE, 3, 7, 3, [(1, 2), (5, 6)]),
    ]


def _told(source: SourceCompleteness) -> tuple[str, int, int, int, list[tuple[int, int]]]:
    missing = [(gap.first_seq, gap.last_seq) for gap in source.missing]
    return source.source, source.first_seq, source.last_seq, source.count, missing
