"""Stays and results on their way to the wire."""

from clinical.domain.encounters import Encounter
from clinical.domain.observations import Coding, Observation, ValueKind
from clinical.servicers.times import time_to_proto
from core.ids import name_of
from medhub.clinical.v1 import encounter_pb2, observation_pb2


def encounter_to_proto(encounter: Encounter) -> encounter_pb2.Encounter:
    """A stay."""
    unit, attending = encounter.unit_id, encounter.attending_id
    message = encounter_pb2.Encounter(
        name=name_of("encounters", encounter.id),
        patient=name_of("patients", encounter.patient_id),
        visit_number=encounter.visit_number,
        status=f"ENCOUNTER_STATUS_{encounter.status.value}",
        unit=name_of("units", unit) if unit else "",
        location=encounter.location,
        attending=name_of("practitioners", attending) if attending else "",
        start_time=time_to_proto(encounter.started_at),
        end_time=time_to_proto(encounter.ended_at),
        create_time=time_to_proto(encounter.created_at),
        update_time=time_to_proto(encounter.updated_at),
        etag=encounter.etag,
    )
    sort = f"ENCOUNTER_CLASS_{encounter.class_.value or 'UNSPECIFIED'}"
    # `class` is a word of Python, so the field can be reached by its name only.
    setattr(message, "class", encounter_pb2.EncounterClass.Value(sort))
    return message


def observation_to_proto(one: Observation) -> observation_pb2.Observation:
    """A result."""
    message = observation_pb2.Observation(
        name=name_of("observations", one.id),
        patient=name_of("patients", one.patient_id),
        encounter=name_of("encounters", one.encounter_id) if one.encounter_id else "",
        code=_coding(one.code),
        reference_range=one.reference_range,
        flags=one.flags,
        status=f"OBSERVATION_STATUS_{one.status.value}",
        effective_time=time_to_proto(one.effective_at),
        issued_time=time_to_proto(one.issued_at),
        supersedes=name_of("observations", one.supersedes_id) if one.supersedes_id else "",
        create_time=time_to_proto(one.created_at),
    )
    _set_value(message, one)
    return message


def _set_value(message: observation_pb2.Observation, one: Observation) -> None:
    value = one.value
    match value.kind:
        case ValueKind.QUANTITY:
            message.quantity.CopyFrom(
                observation_pb2.Quantity(
                    value=value.quantity, comparator=value.comparator, unit=value.unit
                )
            )
        case ValueKind.TEXT:
            message.text = value.text
        case ValueKind.CODED:
            message.coded.CopyFrom(_coding(value.coded))
        case ValueKind.MOMENT:
            moment = time_to_proto(value.moment)
            if moment is not None:
                message.moment.CopyFrom(moment)
        case ValueKind.NONE:
            pass


def _coding(coding: Coding) -> observation_pb2.Coding:
    return observation_pb2.Coding(system=coding.system, code=coding.code, display=coding.display)
