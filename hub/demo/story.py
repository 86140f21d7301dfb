"""The story that `medhub demo` tells: from a hospital's messages to a proved audit trail, and to
everything that is held of the patient.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.json_format import ParseDict
from google.type.decimal_pb2 import Decimal
from google.type.money_pb2 import Money

from compliance.domain.merkle import leaf_hash, verify_inclusion
from core.ids import name_of, new_id
from hub.demo import messages
from hub.demo.calls import Clients, Session, send
from hub.demo.messages import Patient, Result
from hub.run_file import Running
from medhub.analytics.v1 import metric_pb2
from medhub.analytics.v1 import metric_service_pb2 as metrics
from medhub.auth.v1 import access_grant_service_pb2 as grants
from medhub.billing.v1 import invoice_pb2
from medhub.billing.v1 import invoice_service_pb2 as invoices
from medhub.clinical.v1 import patient_pb2
from medhub.clinical.v1 import patient_service_pb2 as patients
from medhub.clinical.v1 import record_service_pb2 as records
from medhub.compliance.v1 import access_request_pb2 as access
from medhub.compliance.v1 import audit_service_pb2 as audit
from medhub.compliance.v1 import data_subject_request_service_pb2 as requests
from medhub.compliance.v1.audit_pb2 import AuditEvent
from medhub.event.v1 import audit_event_pb2 as event

# The relay hands events to the trail within milliseconds; this is for a machine at its limit.
TRAIL_SECONDS = 60.0
# Every service is asked within a second; a machine at its limit takes longer.
GATHERED_SECONDS = 60.0

# Figures of fewer events are withheld.
_SHOWN_FROM = 11

Say = Callable[[str], None]


class StepFailed(Exception):
    """A step of the story did not go as it must."""


@dataclass
class Story:
    """The story and what it has found out so far."""

    running: Running
    clients: Clients
    say: Say
    run: str = field(default_factory=lambda: secrets.token_hex(3).upper())
    patient: str = ""
    duplicate: str = ""

    def tell(self) -> None:
        """Tell it whole. Raises StepFailed at the first step that does not go as it must."""
        for step in (
            self.messages_arrive,
            self.doctor_reads_by_grpc,
            self.doctor_reads_by_rest,
            self.stranger_is_refused,
            self.stranger_breaks_the_glass,
            self.other_tenant_is_refused,
            self.two_become_one,
            self.care_is_billed,
            self.figures_are_counted,
            self.trail_is_proved,
            self.patient_asks_for_everything,
        ):
            self.say(f"\n{(step.__doc__ or '').strip()}")
            step()

    def messages_arrive(self) -> None:
        """A hospital's messages arrive over MLLP"""
        at = messages.now()
        alice, alicia = self._people()
        visit, doctor = f"V{self.run}", "10000000017"
        to_send = [
            messages.admission(
                alice, self._id(1), visit=visit, unit="CARD", attending=doctor, at=at
            ),
            messages.results(alice, self._id(2), visit=visit, values=_BLOOD, at=at),
            messages.admission(
                alicia, self._id(3), visit=f"W{self.run}", unit="CARD", attending=doctor, at=at
            ),
        ]  # fmt: skip
        outcome = asyncio.run(send(self.running, to_send))
        _must(outcome.is_success, f"not accepted: {outcome.refused}, {outcome.unanswered} silent")
        for number, kind in enumerate(("ADT^A01", "ORU^R01", "ADT^A01"), 1):
            self.say(f"  {kind}  {self._id(number)}  acknowledged: AA")
        again = asyncio.run(send(self.running, to_send[:1]))
        _must(again.is_success, "the repeated message was refused")
        self.say(f"  ADT^A01  {self._id(1)}  sent again, the same acknowledgement, nothing changed")

    def doctor_reads_by_grpc(self) -> None:
        """The attending doctor reads the chart by gRPC"""
        doctor = self._doctor()
        alice, alicia = self._people()
        self.patient = self._find(doctor, alice)
        self.duplicate = self._find(doctor, alicia)
        chart = doctor.call(
            self.clients.patients.GetPatient, patients.GetPatientRequest(name=self.patient)
        )
        _must(chart.birth_name == alice.name, "another patient was shown")
        found = doctor.call(
            self.clients.records.ListObservations,
            records.ListObservationsRequest(patient=self.patient),
        ).observations
        _must(len(found) == len(_BLOOD), f"{len(found)} results instead of {len(_BLOOD)}")
        self.say(f"  {chart.name}  {chart.birth_name} {chart.first_birth_given_name}")
        for one in found:
            self.say(f"    {one.code.display}: {one.quantity.value} {one.quantity.unit}")

    def doctor_reads_by_rest(self) -> None:
        """The same chart by REST"""
        doctor = self._doctor()
        shown = doctor.get(f"/clinical/v1/{self.patient}")
        direct = doctor.call(
            self.clients.patients.GetPatient, patients.GetPatientRequest(name=self.patient)
        )
        # Read back, since JSON also spells out what is empty.
        _must(ParseDict(shown, patient_pb2.Patient()) == direct, "REST and gRPC differ")
        self.say(f"  GET /clinical/v1/{self.patient}  200, equal to the answer by gRPC")

    def stranger_is_refused(self) -> None:
        """A doctor of the same hospital whom nothing links to the patient is refused"""
        self._is_refused("medecin@saint-luc.example")

    def stranger_breaks_the_glass(self) -> None:
        """In an emergency he takes access, for an hour and on record, and gives it back"""
        stranger = self.clients.login("medecin@saint-luc.example")
        shown = patients.GetPatientRequest(name=self.patient)
        taken = stranger.call(
            self.clients.grants.BreakGlass,
            grants.BreakGlassRequest(patient=self.patient, reason="Inconsciente aux urgences"),
        )
        get, opened = self.clients.patients.GetPatient, taken.auth_revision
        chart = stranger.call(get, shown, revision=opened)
        self.say(f"  {taken.name} until {taken.end_time.ToJsonString()}: {chart.birth_name}")
        closed = stranger.call(
            self.clients.grants.CloseMyBreakGlass, grants.CloseMyBreakGlassRequest(name=taken.name)
        )
        refused = stranger.refused(get, shown, revision=closed.auth_revision)
        _must(refused.reason == "NOT_FOUND", f"refused with {refused.reason}")
        self.say("  NOT_FOUND again; the trail tells this reading from all others")

    def other_tenant_is_refused(self) -> None:
        """A doctor of another organization is refused in the same words"""
        self._is_refused("docteur@tilleuls.example")

    def two_become_one(self) -> None:
        """Two identities turn out to be one person, and are merged"""
        doctor = self._doctor()
        request = patients.MergePatientsRequest(
            survivor=self.patient, duplicate=self.duplicate, reason="Même personne (démonstration)"
        )
        link = doctor.call(self.clients.patients.MergePatients, request)
        resolved = doctor.call(
            self.clients.patients.GetPatient, patients.GetPatientRequest(name=self.duplicate)
        )
        _must(resolved.name == self.patient, "the duplicate does not lead to the survivor")
        self.say(f"  {link.duplicate}\n  → {link.survivor}")

    def care_is_billed(self) -> None:
        """The billing clerk, who sees no record, finds the patient and issues an invoice"""
        clerk = self.clients.login("facturation@saint-luc.example")
        alice, _ = self._people()
        by = patients.IdentifierQuery(system=messages.SYSTEM, value=alice.ipp)
        [found] = clerk.call(
            self.clients.patients.LookupPatientIdentities,
            patients.LookupPatientIdentitiesRequest(identifier=by),
        ).identities
        _must(found.name == self.patient, "another patient was found")
        draft = clerk.call(
            self.clients.invoices.CreateInvoice,
            invoices.CreateInvoiceRequest(invoice=_invoice(found.name, alice)),
        )
        final = clerk.call(
            self.clients.invoices.FinalizeInvoice,
            invoices.FinalizeInvoiceRequest(name=draft.name, etag=draft.etag),
        )
        shown = clerk.get(f"/billing/v1/{final.name}")
        _must(shown["number"] == final.number != "", "the invoice has no number")
        _must((final.total.units, final.total.nanos) == (117, 10_000_000), "the total is wrong")
        for one in shown["lines"]:
            self.say(f"    {one['description']}: {_euros(one['net'])}")
        self.say(
            f"  {shown['number']}: {_euros(shown['total'])}, of which VAT "
            f"{_euros(shown['tax_total'])}; never changed from now on"
        )

    def figures_are_counted(self) -> None:
        """The month in figures: about nobody, and none of fewer than 11"""
        doctor = self._doctor()
        for _ in range(_SHOWN_FROM):
            doctor.call(
                self.clients.patients.GetPatient, patients.GetPatientRequest(name=self.patient)
            )
        admin = self.clients.login("admin@saint-luc.example")
        until = time.monotonic() + TRAIL_SECONDS
        while not (month := self._month(admin, "access.showings")).cells:
            _must(time.monotonic() < until, "what was shown is not counted")
            time.sleep(0.2)
        self.say(f"  showings of a person's data: {month.cells[0].count}")
        merged = self._month(admin, "clinical.patients.merged")
        told = merged.cells[0].count if merged.cells else "withheld, for they are fewer than 11"
        self.say(f"  patients merged: {told}")

    def trail_is_proved(self) -> None:
        """The patient's audit trail, and the proof that it has not been tampered with"""
        auditor = self.clients.login("admin@saint-luc.example")
        wanted = {event.EVENT_KIND_CHANGE, event.EVENT_KIND_ACCESS}
        found = self._events(auditor, wanted)
        for one in reversed(found):
            kind = event.EventKind.Name(one.kind).removeprefix("EVENT_KIND_").lower()
            mark = " by emergency access" if one.break_glass else ""
            self.say(f"  {one.leaf_index:>5}  {kind:<7} {one.action:<30} {one.actor[:22]}…{mark}")
        for one in found:
            proof = auditor.call(
                self.clients.audit.GetInclusionProof,
                audit.GetInclusionProofRequest(name=one.name),
            )
            held = verify_inclusion(
                leaf_hash(proof.leaf), proof.leaf_index, proof.tree_size,
                list(proof.hashes), proof.root_hash,
            )  # fmt: skip
            _must(held, f"no proof for {one.name}")
        self.say(f"  {len(found)} inclusion proofs verified against the signed checkpoint")

    def _month(self, admin: Session, metric: str) -> metric_pb2.MetricBucket:
        """What happened this month, as a calendar in Paris has it."""
        request = metrics.QueryMetricsRequest(
            metric=f"metrics/{metric}",
            bucket=metric_pb2.TIME_BUCKET_MONTH,
            time_zone="Europe/Paris",
        )
        request.start_time.GetCurrentTime()
        request.end_time.seconds = request.start_time.seconds + 1
        (month,) = admin.call(self.clients.metrics.QueryMetrics, request).buckets
        found: metric_pb2.MetricBucket = month
        return found

    def patient_asks_for_everything(self) -> None:
        """The patient asks for everything that is held of her"""
        officer = self.clients.login("admin@saint-luc.example")
        wanted = requests.CreateAccessRequestRequest(
            access_request=access.AccessRequest(patient=self.patient)
        )
        made = officer.call(self.clients.requests.CreateAccessRequest, wanted)
        self.say(f"  {made.name}, due {made.due_time.ToJsonString()}")
        self._gathered(officer, made.name)
        package = json.loads(self._package(officer, made.name))
        for service, told in package["manifest"]["services"].items():
            categories = ", ".join(told["categories"]) or "nothing"
            self.say(f"  {service:<11} {told['record_count']:>4} records: {categories}")
        held = json.dumps(package, ensure_ascii=False)
        _must(all(one.value in held for one in _BLOOD), "a result is not in the package")
        _must(self.duplicate in package["manifest"]["identities"], "an identity is left out")

    def _people(self) -> tuple[Patient, Patient]:
        """Two identities that will turn out to be one person."""
        return (
            Patient(f"A{self.run}", f"VERDIER{self.run}", "Alice", "19800512", "F"),
            Patient(f"B{self.run}", f"VERDIER{self.run}", "Alicia", "19800512", "F"),
        )

    def _id(self, number: int) -> str:
        return f"{self.run}-{number}"

    def _doctor(self) -> Session:
        return self.clients.login("docteur@saint-luc.example")

    def _find(self, doctor: Session, patient: Patient) -> str:
        by = patients.IdentifierQuery(system=messages.SYSTEM, value=patient.ipp)
        found = doctor.call(
            self.clients.patients.SearchPatients, patients.SearchPatientsRequest(identifier=by)
        ).patients
        _must(len(found) == 1, f"{len(found)} patients of the identifier {patient.ipp}")
        return str(found[0].name)

    def _is_refused(self, email: str) -> None:
        stranger = self.clients.login(email)
        get, nobody = self.clients.patients.GetPatient, name_of("patients", new_id())
        here = stranger.refused(get, patients.GetPatientRequest(name=self.patient))
        missing = stranger.refused(get, patients.GetPatientRequest(name=nobody))
        _must(here == missing, "a hidden patient is told from a missing one")
        _must(here.reason == "NOT_FOUND", f"refused with {here.reason}")
        status = stranger.status_of(f"/clinical/v1/{self.patient}")
        _must(status == 404, f"REST answered {status}")
        self.say(
            f"  {email}: {here.code} by gRPC, 404 by REST; as for a patient who does not exist"
        )

    def _gathered(self, officer: Session, name: str) -> None:
        until = time.monotonic() + GATHERED_SECONDS
        request = requests.GetAccessRequestRequest(name=name)
        while True:
            found = officer.call(self.clients.requests.GetAccessRequest, request)
            if found.state == access.ACCESS_REQUEST_STATE_COMPLETE:
                return
            missing = [one.service for one in found.services if one.last_failure]
            _must(time.monotonic() < until, f"not gathered in time; missing: {missing}")
            time.sleep(0.2)

    def _package(self, officer: Session, name: str) -> bytes:
        parts = []
        request = requests.GetAccessPackageRequest(name=name)
        while True:
            part = officer.call(self.clients.requests.GetAccessPackage, request)
            parts.append(part.content)
            if not part.next_page_token:
                return b"".join(parts)
            request.page_token = part.next_page_token

    def _events(self, auditor: Session, wanted: set[event.EventKind]) -> list[AuditEvent]:
        until = time.monotonic() + TRAIL_SECONDS
        while True:
            found = auditor.call(
                self.clients.audit.ListAuditEvents,
                audit.ListAuditEventsRequest(subject=self.patient, page_size=200),
            ).audit_events
            actions = {one.action for one in found}
            if wanted <= {one.kind for one in found} and actions >= _ACTS:
                return list(found)
            _must(time.monotonic() < until, f"the trail lacks events; it has {sorted(actions)}")
            time.sleep(0.2)


_BLOOD = (
    Result("718-7", "Hémoglobine", "11.2", "g/dL", "12.0-16.0", "L"),
    Result("2951-2", "Sodium", "139", "mmol/L", "135-145"),
    Result("2823-3", "Potassium", "4.1", "mmol/L", "3.5-5.0"),
)


# What the patient's trail must show at the end, of three services.
_ACTS = {
    "clinical.patients.merge",
    "billing.invoices.finalize",
    "auth.access_grants.break_glass",
}


def _invoice(patient: str, buyer: Patient) -> invoice_pb2.Invoice:
    """Exempt care, and a certificate that is taxed."""
    care = invoice_pb2.InvoiceLine(
        description="Consultation de cardiologie",
        quantity=Decimal(value="1"),
        unit_price=Money(currency_code="EUR", units=57),
        vat_category=invoice_pb2.VAT_CATEGORY_EXEMPT,
        exemption_code="VATEX-FR-CGI261-4",
    )
    certificate = invoice_pb2.InvoiceLine(
        description="Certificat sans visée thérapeutique",
        quantity=Decimal(value="1.5"),
        unit_price=Money(currency_code="EUR", units=33, nanos=340_000_000),
        vat_category=invoice_pb2.VAT_CATEGORY_STANDARD,
        vat_rate=Decimal(value="20"),
    )
    return invoice_pb2.Invoice(
        patient=patient,
        buyer=invoice_pb2.Buyer(display_name=f"{buyer.given} {buyer.name}", country_code="FR"),
        currency_code="EUR",
        series="DEMO",
        lines=[care, certificate],
    )


def _euros(money: dict[str, Any]) -> str:
    """An amount as REST shows it, in words."""
    return f"{int(money.get('units', 0))}.{money.get('nanos', 0) // 10_000_000:02} EUR"


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise StepFailed(otherwise)
