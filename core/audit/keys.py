"""The keys that a relay seals under, fetched from compliance and kept for a short while."""

import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import grpc

from core.rpc.endings import reason_of
from medhub.compliance.v1 import key_service_pb2 as wire
from medhub.compliance.v1 import key_service_pb2_grpc

RETENTION_CLASS = "audit"
"""The class of retention of the trail."""

MOST_KEPT = 10_000
"""Keys in memory: some MiB, and the persons of a busy hour."""

KEEP_SECONDS = 300.0
"""A key that was destroyed is used no longer than this by a relay that still has it."""

MOST_ASKED = 1_000
"""Keys in one request, as the contract bounds it."""


class Wanted(NamedTuple):
    """Whose key (an empty name: the organization's own), for which month."""

    organization: UUID
    subject: str
    month: str


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A key to seal under, its name, and the reference that stands for the person in clear."""

    name: str
    reference: str
    secret: bytes


class Keys:
    """A bounded memory of keys. None stands for one that is destroyed."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub: Any = key_service_pb2_grpc.KeyServiceStub(channel)
        self._kept: OrderedDict[Wanted, tuple[float, Key | None]] = OrderedDict()

    async def provide(self, wanted: Iterable[Wanted]) -> dict[Wanted, Key | None]:
        """The keys wanted, most of them from memory. Raises grpc.aio.AioRpcError."""
        now = time.monotonic()
        provided: dict[Wanted, Key | None] = {}
        missing: list[Wanted] = []
        for one in set(wanted):
            kept = self._kept.get(one)
            if kept is not None and now - kept[0] < KEEP_SECONDS:
                self._kept.move_to_end(one)
                provided[one] = kept[1]
            else:
                missing.append(one)
        for start in range(0, len(missing), MOST_ASKED):
            asked = sorted(missing[start : start + MOST_ASKED])
            for one, key in (await self._asked(asked)).items():
                provided[one] = key
                self._keep(one, key, now)
        return provided

    async def _asked(self, wanted: list[Wanted]) -> dict[Wanted, Key | None]:
        """Ask for all at once, and one by one when a destroyed one is among them."""
        try:
            answer = await self._stub.ProvisionKeys(
                wire.ProvisionKeysRequest(keys=[_wanted_to_proto(one) for one in wanted])
            )
        except grpc.aio.AioRpcError as refused:
            if reason_of(refused) != "KEY_DESTROYED":
                raise
            if len(wanted) == 1:
                return {wanted[0]: None}
            middle = len(wanted) // 2
            return {**await self._asked(wanted[:middle]), **await self._asked(wanted[middle:])}
        return {
            one: Key(key.key, key.subject_ref, key.data_key)
            for one, key in zip(wanted, answer.keys, strict=True)
        }

    def _keep(self, wanted: Wanted, key: Key | None, now: float) -> None:
        self._kept[wanted] = now, key
        self._kept.move_to_end(wanted)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)


def _wanted_to_proto(wanted: Wanted) -> wire.KeyWanted:
    return wire.KeyWanted(
        organization_id=str(wanted.organization),
        subject=wanted.subject,
        retention_class=RETENTION_CLASS,
        month=wanted.month,
    )
