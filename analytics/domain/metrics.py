"""The catalogue: what can be asked for. A metric more is a line more, and has its past at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.errors import InvalidField


class Measure(StrEnum):
    """How a metric is measured."""

    COUNT = "count"
    SUM = "sum"


@dataclass(frozen=True, slots=True)
class Metric:
    """What is counted or summed: the facts of a series, or those of them with one value (`only`).

    A sum lists first what its amounts cannot be added across, such as their currency.
    """

    name: str
    description: str
    unit: str
    series: str
    dimensions: tuple[str, ...] = ()
    measure: Measure = Measure.COUNT
    only: tuple[str, str] = ("", "")


_LISTED = (
    Metric("access.showings", "Showings of a person's data: one for each person of a call.",
           "showings", "access", ("method",)),
    Metric("access.refusals", "Calls refused.", "calls", "refusal", ("outcome", "method")),
    Metric("auth.logins", "Log-ins, and how they ended.", "log-ins", "auth.login", ("outcome",)),
    # An invoice is changed once to FINAL, and never after.
    Metric("billing.invoices.amount", "Net totals of the invoices issued.", "minor units",
           "billing.invoice.update", ("currency_code",), Measure.SUM, ("state", "FINAL")),
    Metric("billing.invoices.issued", "Invoices issued.", "invoices", "billing.invoice.update",
           ("currency_code",), only=("state", "FINAL")),
    Metric("clinical.encounters.opened", "Stays and consultations begun.", "encounters",
           "clinical.encounter.insert"),
    Metric("clinical.hl7.processed", "HL7 messages by what became of them.", "messages",
           "clinical.hl7_message.update", ("state", "message_type")),
    Metric("clinical.hl7.received", "HL7 messages received.", "messages",
           "clinical.hl7_message.insert", ("message_type", "state")),
    Metric("clinical.observations.received", "Results taken in.", "observations",
           "clinical.observation.insert"),
    Metric("clinical.patients.created", "Patients taken in.", "patients",
           "clinical.patient.insert"),
    Metric("clinical.patients.merged", "Patients found to be somebody known, and merged.",
           "patients", "clinical.patient_link.insert"),
)  # fmt: skip

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _LISTED}
"""By name."""


def metric_of(catalogue: Mapping[str, Metric], name: str) -> Metric:
    """The metric of a name. Raises InvalidField."""
    try:
        return catalogue[name]
    except KeyError:
        raise InvalidField(field="metric", rule="known_metric") from None


def dimension_of(metric: Metric, asked: str) -> str:
    """What to group by; empty: by nothing. Raises InvalidField."""
    if asked and asked not in metric.dimensions:
        raise InvalidField(field="dimension", rule="dimension_of_the_metric")
    if not asked and metric.measure is Measure.SUM:
        return next(iter(metric.dimensions), "")
    if asked and metric.measure is Measure.SUM and asked != metric.dimensions[0]:
        raise InvalidField(field="dimension", rule="amounts_that_add_up")
    return asked
