"""Who is shown which received message: its bytes say what a record says."""

from dataclasses import replace
from uuid import UUID

import pytest

from clinical.storage import hl7_messages
from core import identity
from core.errors import NotFound
from core.identity import Kind
from core.ids import id_from, name_of, new_id
from medhub.clinical.v1.hl7_pb2 import Hl7Endpoint, Hl7Message
from medhub.clinical.v1.hl7_v2_service_pb2 import (
    CreateEndpointRequest,
    GetMessageRequest,
    ListMessagesRequest,
)
from tests.support.clinics import clinic
from tests.support.hl7_desks import HL7, hl7
from tests.support.hl7_messages import ANNE, adt, ipp, merge
from tests.support.plans import plan_of

__all__ = ["clinic", "hl7"]

BOB = replace(ANNE, identifiers=(ipp("200002"),), names="BERNARD^BOB^BOB^^^^L", sex="M")


async def read(hl7: HL7, name: str) -> Hl7Message:
    """What the caller is shown of a message."""
    return await hl7.servicer.GetMessage(GetMessageRequest(name=name))


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


async def test_a_message_about_nobody_needs_no_link(hl7: HL7) -> None:
    """Whoever mends an interface sees what was refused."""
    refused = (await hl7.send(b"nonsense")).message

    assert (await read(hl7, refused)).raw == b"nonsense"
    assert [one.patient for one in await listed(hl7)] == [""]


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

    assert [one.name for one in await listed(hl7)] == [about_somebody, own]
    assert (await read(hl7, own)).raw == b"gibberish"
    for hidden in (elsewhere, about_somebody):
        with pytest.raises(NotFound):
            await read(hl7, hidden)


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
        hl7_messages.GET,
        id=id_from(sent[7], "hl7Messages"),
        is_machine=False,
        subject=new_id(),
    )

    assert "Seq Scan on patient" not in plan
    assert "Seq Scan on care_link" not in plan
    assert "ix_care_link_patient_id" in plan
