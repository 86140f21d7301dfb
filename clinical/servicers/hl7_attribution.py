"""Whom a message is about that takes no effect: its bytes are somebody's all the same."""

from uuid import UUID

from clinical.domain.identifiers import identifiers_of
from clinical.domain.registration import whose
from clinical.servicers.hl7_desk import Desk
from clinical.storage.store import Work


async def patient_of(work: Work, desk: Desk, raw: bytes) -> UUID | None:
    """The patient whom a refused message names, or the first of several; None: nobody known."""
    for sent in desk.persons(raw):
        identifiers = identifiers_of(sent.identifiers, desk.tenant)
        if not identifiers:
            continue
        patient = whose(identifiers, await work.patients.known(identifiers), sent)
        if patient is not None:
            return patient
    return None
