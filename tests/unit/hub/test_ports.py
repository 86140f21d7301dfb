"""Ports: the block that was asked for, or free ones."""

import os
import socket
from collections.abc import Iterator

import pytest

from hub.ports import DEFAULT_BASE, HOST, Port, PortTaken, allocate, is_free

# Apart from other test runs on this machine, and below the ports of outgoing connections.
BASE = 20_000 + os.getpid() % 600 * len(Port)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Someone else's server on the second port of the block at BASE."""
    with socket.create_server((HOST, BASE + 1)) as server:
        yield server


def test_a_base_is_counted_up_in_order() -> None:
    """With a base, each part has the port of its place."""
    ports = allocate(BASE)

    assert ports == {part: BASE + step for step, part in enumerate(Port)}


@pytest.mark.usefixtures("listener")
def test_a_taken_port_of_a_chosen_base_is_refused_by_name() -> None:
    """A base that was asked for is never silently left."""
    with pytest.raises(PortTaken, match=rf"port {BASE + 1} .* wanted for auth"):
        allocate(BASE)


def test_a_taken_default_port_is_replaced_by_a_free_one() -> None:
    """Without a base, a part whose port is taken moves and the others stay."""
    if not is_free(DEFAULT_BASE):
        pytest.skip("the default port is in use on this machine")
    with socket.create_server((HOST, DEFAULT_BASE)):
        ports = allocate()

    assert ports[Port.EDGE] != DEFAULT_BASE
    assert len(set(ports.values())) == len(Port)
