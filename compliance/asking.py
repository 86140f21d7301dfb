"""Asks the services whom they know, until no further identity of a person comes up."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from compliance.clients.subject_data import Missing, Query, SubjectServices
from compliance.domain.access_requests import Requester, Standing, standing_of
from compliance.domain.erasure_requests import OWN
from core import identity
from core.ids import id_from, name_of
from medhub.subject.v1 import subject_pb2, subject_service_pb2

MOST_ROUNDS = 5
"""Of asking for identities: each may lead to further ones. A chain that is longer is a fault."""

Found = Mapping[str, subject_service_pb2.FindSubjectResponse]
"""What services have answered, by name."""

_STANDINGS = {
    subject_pb2.STANDING_KNOWN: Standing.KNOWN,
    subject_pb2.STANDING_UNKNOWN: Standing.UNKNOWN,
    subject_pb2.STANDING_NOT_REGISTERED_HERE: Standing.NOT_REGISTERED_HERE,
}


@dataclass(frozen=True, slots=True)
class Occasion:
    """For which request of whom services are asked, and who entered it."""

    request: str
    requester: Requester
    patient: UUID

    def query(self, known: Collection[UUID]) -> Query:
        """What is asked of a service, about every known identity."""
        others = sorted(set(known) - {self.patient})
        return {
            "organization_id": str(identity.caller().organization),
            "subject": name_of("patients", self.patient),
            "also_known_as": [name_of("patients", one) for one in others],
            "occasion": subject_pb2.Occasion(request=self.request, requester=self.requester.name),
        }


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of those who answer, and why the others did not."""

    found: dict[str, Any]
    failures: dict[str, str]

    @property
    def standing(self) -> Standing:
        """Whether the person is known.

        Of whom another service holds something is known by that: a name may have been given to it
        that nobody registered. What compliance holds of them may be this very request.
        """
        told = standing_of(_STANDINGS[one.standing] for one in self.found.values())
        others = [one for name, one in self.found.items() if name != OWN]
        held = any(table.count for one in others for table in one.tables)
        return Standing.KNOWN if held and told is Standing.UNKNOWN else told


async def ask(services: SubjectServices, names: Collection[str], query: Query) -> Answers:
    """What these services hold of a person."""
    order = sorted(names)
    results = await asyncio.gather(
        *(services.find(name, query) for name in order), return_exceptions=True
    )
    answers = Answers({}, {})
    for name, result in zip(order, results, strict=True):
        if isinstance(result, Missing):
            answers.failures[name] = result.failure
        elif isinstance(result, BaseException):
            raise result
        else:
            answers.found[name] = result
    return answers


async def ask_until_known(
    services: SubjectServices, missing: Collection[str], occasion: Occasion, known: set[UUID]
) -> Answers:
    """The answers under every identity; those that come up are added to `known`.

    While none of those that are missing answers, the others are left alone: each question stands
    in the person's trail.
    """
    names = set(services.names)
    first = await ask(services, set(missing), occasion.query(known))
    if not first.found:
        return first
    others = await ask(services, names - set(missing), occasion.query(known))
    answers = Answers(first.found | others.found, first.failures | others.failures)
    for _ in range(MOST_ROUNDS):
        told = _identities(answers.found)
        if told <= known:
            return answers
        known |= told
        answers = await ask(services, names, occasion.query(known))
    raise LookupError("identities lead to ever more identities")


def _identities(found: Found) -> set[UUID]:
    return {id_from(name, "patients") for one in found.values() for name in one.identities}
