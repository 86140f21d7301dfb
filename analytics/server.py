"""The analytics server: what it is made of."""

from analytics.domain.metrics import METRICS
from analytics.servicers.facts import Facts
from analytics.servicers.metrics import Metrics
from analytics.storage.store import Store
from analytics.storage.subject_data import holdings
from core.service import Core
from core.subject.servicer import SubjectData


async def build(core: Core) -> dict[str, object]:
    """The servicers by the service they stand for."""
    store = Store(core.database)
    return {
        "medhub.analytics.v1.FactService": Facts(store),
        "medhub.analytics.v1.MetricService": Metrics(store, METRICS),
        "medhub.subject.v1.SubjectService": SubjectData(core.database, holdings(), core.keyring),
    }
