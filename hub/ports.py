"""Which loopback port each part listens on."""

import socket
from collections.abc import Iterator, Mapping
from enum import StrEnum

HOST = "127.0.0.1"
DEFAULT_BASE = 18400
# Where to look for free ports when a default one is taken: above the block, and below the range
# from which the kernel takes the ports of outgoing connections (32768 on Linux), so that a port
# stays free while its restarted owner is away.
SEARCH_OFFSET = 100
SEARCH_LENGTH = 2000


class Port(StrEnum):
    """The parts that listen, in the order of their ports from the base upwards."""

    EDGE = "edge"
    AUTH = "auth"
    CLINICAL = "clinical"
    COMPLIANCE = "compliance"
    MLLP = "mllp"
    POSTGRES = "postgres"
    AUTH_METRICS = "auth-metrics"
    CLINICAL_METRICS = "clinical-metrics"
    COMPLIANCE_METRICS = "compliance-metrics"
    GATEWAY_METRICS = "gateway-metrics"
    BILLING = "billing"
    BILLING_METRICS = "billing-metrics"
    ANALYTICS = "analytics"
    ANALYTICS_METRICS = "analytics-metrics"


class PortTaken(Exception):
    """A port that was asked for is in use."""

    def __init__(self, part: Port, number: int) -> None:
        super().__init__(
            f"port {number} on {HOST}, wanted for {part}, is in use;"
            " stop what listens there or give another --port-base"
        )


def is_free(number: int) -> bool:
    """Whether a server could listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port whose last connections are still closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, number))
        except OSError:
            return False
    return True


def allocate(base: int | None = None) -> Mapping[Port, int]:
    """A port for every part, counted up from `base`.

    A base that was asked for is kept to: raises PortTaken when one of its ports is in use.
    Without one the default block is used, and parts whose port is taken move to a free one.
    """
    if base is not None:
        return {part: _required(part, base + step) for step, part in enumerate(Port)}
    start = DEFAULT_BASE + SEARCH_OFFSET
    spare = (number for number in range(start, start + SEARCH_LENGTH) if is_free(number))
    wanted = {part: DEFAULT_BASE + step for step, part in enumerate(Port)}
    return {
        part: number if is_free(number) else _first(part, number, spare)
        for part, number in wanted.items()
    }


def _required(part: Port, number: int) -> int:
    if not is_free(number):
        raise PortTaken(part, number)
    return number


def _first(part: Port, wanted: int, spare: Iterator[int]) -> int:
    number = next(spare, None)
    if number is None:
        raise PortTaken(part, wanted)
    return number
