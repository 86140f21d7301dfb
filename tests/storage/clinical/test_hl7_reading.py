"""Who is shown which received message: its bytes say what a record says."""

from dataclasses import replace
from uuid import UUID

import pytest

from clinical.domain.ins import TenantKind
from clinical.domain.patients import delete
from clinical.storage import hl7_messages
from core import clock, identity
from core.errors import NotFound
from core.identity import Kind
from core.ids import id_from, name_of, new_id
from medhub.clinical.v1.hl7_pb2 import Hl7Endpoint, Hl7Message
from medhub.clinical.v1.hl7_v2_service_pb2 import (
    CreateEndpointRequest,
    GetMessageRequest,
    ListMessagesRequest,
    ReadUnattributedMessageRequest,
)
from tests.support.clinics import clinic
from tests.support.hl7_desks import HL7, hl7
from tests.support.hl7_messages import ANNE, adt, ins_of_test, ipp, merge, oru
from tests.support.plans import plan_of

__all__ = ["clinic", "hl7"]

BOB = replace(ANNE, identifiers=(ipp("200002"),), names="BERNARD^BOB^BOB^^^^L", sex="M")


async def read(hl7: HL7, name: str) -> Hl7Message:
    """What the caller is shown of a message."""
    return await hl7.servicer.GetMessage(GetMessageRequest(name=name))


async def read_unattributed(hl7: HL7, name: str) -> Hl7Message:
    """What whoever mends interfaces is shown of a message."""
    return await hl7.servicer.ReadUnattributedMessage(ReadUnattributedMessageRequest(name=name))


async def listed(hl7: HL7) -> list[Hl7Message]:
    """The messages that the caller is shown, newest first."""
    return list((await hl7.servicer.ListMessages(ListMessagesRequest())).hl7_messages)


async def linked_to(hl7: HL7, patient: str) -> UUID:
    """A user whom a link opens the patient to."""
    user = new_id()
    practitioner = await hl7.clinic.practitioner(user)
    await hl7.clinic.link(id_from(patient, "patients"), practitioner=practitioner)
    return user


def become(subject: UUID, kind: Kind = Kind.USER) -> None:
    """Go on as somebody else of the organization."""
    call = identity.call()
    call.caller = replace(call.caller, subject=subject, kind=kind)


async def test_a_message_of_a_patient_needs_a_link_to_them(hl7: HL7) -> None:
    """Without one it is as if it did not exist, and the list does not say whom it is about."""
    name = (await hl7.send(adt("A28"))).message
    patient = (await hl7.kept(name)).patient

    with pytest.raises(NotFound):
        await read(hl7, name)
    assert [(one.name, one.patient) for one in await listed(hl7)] == [(name, "")]

    become(await linked_to(hl7, patient))
    assert (await read(hl7, name)).raw == adt("A28").encode()
    assert [(one.name, one.patient) for one in await listed(hl7)] == [(name, patient)]


async def test_a_link_to_either_of_a_merge_opens_the_messages_of_both(hl7: HL7) -> None:
    """They are shown as about the patient who lives on."""
    one = (await hl7.send(adt("A28"))).message
    other = (await hl7.send(adt("A28", BOB, control_id="2"))).message
    survivor = (await hl7.kept(one)).patient
    user = await linked_to(hl7, (await hl7.kept(other)).patient)

    await hl7.send(merge(control_id="3"))

    become(user)
    assert [(await read(hl7, name)).patient for name in (one, other)] == [survivor] * 2
    assert [shown.patient for shown in await listed(hl7)] == [survivor] * 3


REFUSED = {
    "event": adt("A02", control_id="2").encode(),
    "version": adt("A01", control_id="2").replace("2.5^FRA^2.11", "9.9").encode(),
    "charset": adt("A01", control_id="2").replace("UNICODE UTF-8", "KLINGON").encode(),
    "nul": adt("A01", control_id="2").replace("MARTIN", "MAR\x00TIN").encode(),
    "utf-16": adt("A01", control_id="2").encode("utf-16"),
    "before the header": b"noise\r" + adt("A01", control_id="2").encode(),
    "two of PID": adt("A28", control_id="2").encode() + ANNE.pid().encode(),
    "loser unknown": merge(control_id="2").encode(),
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED)
async def test_a_refused_message_is_about_whom_it_names(hl7: HL7, raw: bytes) -> None:
    """Whatever it was refused for: it needs the link that a processed one needs."""
    patient = (await hl7.kept((await hl7.send(adt("A28"))).message)).patient
    refused = await hl7.send(raw)
    assert refused.state == 4

    with pytest.raises(NotFound):
        await read(hl7, refused.message)
    with pytest.raises(NotFound):
        await read_unattributed(hl7, refused.message)
    assert [one.patient for one in await listed(hl7)] == ["", ""]

    become(await linked_to(hl7, patient))
    shown = await read(hl7, refused.message)
    assert (shown.raw, shown.patient) == (raw, patient)
    assert [one.patient for one in await listed(hl7)] == [patient, patient]


async def test_a_refused_message_about_who_is_deleted_is_theirs(hl7: HL7) -> None:
    """Somebody deleted has a record all the same."""
    patient = (await hl7.kept((await hl7.send(adt("A28"))).message)).patient
    user = await linked_to(hl7, patient)
    async with hl7.clinic.store.begin() as work:
        [before] = await work.patients.lock_any(id_from(patient, "patients"))
        await work.patients.save(before, delete(before, at=clock.now()))

    refused = await hl7.send(adt("A01", control_id="2"))

    assert refused.state == 4
    with pytest.raises(NotFound):
        await read(hl7, refused.message)
    become(user)
    assert (await read(hl7, refused.message)).patient == patient


@pytest.mark.parametrize(("names", "is_theirs"), [(ANNE.names, True), ("X^Y^Y^^^^L", False)])
async def test_an_ins_says_whose_it_is_where_the_traits_agree(
    hl7: HL7, names: str, is_theirs: bool
) -> None:
    """A wrong INS opens nobody's message to those who care for another."""
    async with hl7.clinic.store.begin() as work:
        await work.settings.put_tenant_kind(TenantKind.TEST)
    by_ins = replace(ANNE, identifiers=(ins_of_test(),))
    patient = (await hl7.kept((await hl7.send(adt("A28", by_ins))).message)).patient

    refused = await hl7.send(adt("A02", replace(by_ins, names=names), control_id="2"))

    become(await linked_to(hl7, patient))
    assert (await read(hl7, refused.message)).patient == (patient if is_theirs else "")


@pytest.mark.parametrize(
    "raw", [b"MSH|nonsense of MARTIN", oru().encode(), adt("A02", BOB).encode()]
)
async def test_a_message_about_nobody_known_tells_what_became_of_it(hl7: HL7, raw: bytes) -> None:
    """Nothing that its sender wrote is told, for it may name somebody."""
    refused = (await hl7.send(raw)).message

    shown = await read(hl7, refused)

    assert shown.findings[-1].severity == "E"
    for one in (shown, *await listed(hl7)):
        assert (one.name, one.state, one.patient) == (refused, 4, "")
        assert (one.raw, one.ack) == (b"", b"")
        assert (one.control_id, one.sending_application, one.sending_facility) == ("", "", "")
        assert (one.message_type, one.version) == ("", "")


async def test_a_message_about_nobody_known_is_read_by_name(hl7: HL7) -> None:
    """Whoever mends an interface sees what was refused, by a method of its own."""
    refused = await hl7.send(adt("A02"))

    shown = await read_unattributed(hl7, refused.message)

    assert (shown.raw, shown.ack) == (adt("A02").encode(), refused.ack)
    assert (shown.control_id, shown.message_type) == ("M0001", "ADT^A02")


async def test_only_messages_about_nobody_known_are_read_as_such(hl7: HL7) -> None:
    """One that waits may be about somebody."""
    await hl7.open("ACK_POINT_STORED", "fast")
    waiting = (await hl7.send(adt("A28"))).message

    with pytest.raises(NotFound):
        await read_unattributed(hl7, waiting)


async def test_a_message_that_waits_is_shown_to_nobody(hl7: HL7) -> None:
    """Until it is processed nobody knows whose it is, so nobody can be linked to them."""
    await hl7.open("ACK_POINT_STORED", "fast")
    name = (await hl7.send(adt("A28"))).message

    with pytest.raises(NotFound):
        await read(hl7, name)

    assert [one.state for one in await listed(hl7)] == [1]


async def test_a_service_account_sees_what_came_to_its_own_endpoints(hl7: HL7) -> None:
    """What came elsewhere is neither shown nor listed to it."""
    account, elsewhere = new_id(), (await hl7.send(b"nonsense")).message
    asked = Hl7Endpoint(label="own", service_account=name_of("serviceAccounts", account))
    made = await hl7.servicer.CreateEndpoint(CreateEndpointRequest(hl7_endpoint=asked))
    become(account, Kind.SERVICE)
    hl7.endpoint = made.name
    own = (await hl7.send(b"gibberish")).message
    about_somebody = (await hl7.send(adt("A28"))).message
    refused = (await hl7.send(adt("A02", control_id="2"))).message

    assert [one.name for one in await listed(hl7)] == [refused, about_somebody, own]
    assert (await read(hl7, own)).raw == b"gibberish"
    assert (await read(hl7, refused)).raw == adt("A02", control_id="2").encode()
    assert (await read_unattributed(hl7, own)).raw == b"gibberish"
    for hidden in (elsewhere, about_somebody):
        with pytest.raises(NotFound):
            await read(hl7, hidden)
        with pytest.raises(NotFound):
            await read_unattributed(hl7, hidden)


async def test_a_message_is_read_by_index_alone(hl7: HL7) -> None:
    """Its link is asked for as that of a patient is."""
    people = [replace(ANNE, identifiers=(ipp(str(number)),)) for number in range(20)]
    sent = [
        (await hl7.send(adt("A28", person, control_id=str(number)))).message
        for number, person in enumerate(people)
    ]
    hl7.clinic.database.rows("ANALYZE")

    plan = await plan_of(
        hl7.clinic.store.database,
        hl7_messages.GET.linked,
        id=id_from(sent[7], "hl7Messages"),
        is_machine=False,
        subject=new_id(),
    )

    assert "Seq Scan on patient" not in plan
    assert "Seq Scan on care_link" not in plan
    assert "ix_care_link_patient_id" in plan
