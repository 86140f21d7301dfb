"""What is asked of an edge, and what it is refused for."""

from pathlib import Path
from typing import Any

import pytest

from core.contract import everything
from edge import Address, Edge, Tls
from edge.envoy import ServiceWithoutAddress, configuration

SERVER = (Address("127.0.0.1", 1),)
SERVICES = {method.name.split(".")[1]: SERVER for method in everything().methods.values()}
LISTEN = Address("127.0.0.1", 8080)


def made(**settings: Any) -> dict[str, Any]:
    """A configuration; unless said otherwise, of production."""
    edge = Edge(**{"listen": LISTEN, "services": SERVICES, **settings})
    return configuration(edge, everything(), Path("/edge"))


def test_a_service_without_an_address_is_refused() -> None:
    """A part of the contract that nobody serves is noticed before Envoy starts."""
    some = {name: server for name, server in SERVICES.items() if name != "compliance"}

    with pytest.raises(ServiceWithoutAddress, match="compliance"):
        made(services=some)


def test_no_page_may_call_unless_said() -> None:
    """Production opens itself to no origin and routes no preflight."""
    text = str(made())

    assert "edge/preflight" not in text
    assert "'allow_origin_string_match': []" in text


def test_the_admin_interface_is_off_unless_said() -> None:
    """Envoy's own interface can change and end it."""
    assert "admin" not in made()
    assert (
        made(admin=Address("127.0.0.1", 9))["admin"]["address"]["socket_address"]["port_value"] == 9
    )


def test_each_process_of_a_service_is_an_endpoint() -> None:
    """Envoy spreads calls over addresses, not over processes that share one."""
    several = (Address("127.0.0.1", 1), Address("127.0.0.1", 2))

    clusters = made(services={**SERVICES, "clinical": several})["static_resources"]["clusters"]

    counts = {
        c["name"]: len(c["load_assignment"]["endpoints"][0]["lb_endpoints"]) for c in clusters
    }
    assert counts == {name: 2 if name == "clinical" else 1 for name in SERVICES}


def test_a_browser_is_told_to_stay_on_tls_only_where_there_is_tls() -> None:
    """Over plain HTTP the header would mean nothing."""
    tls = Tls(Path("/c.pem"), Path("/k.pem"))

    assert "strict-transport-security" not in str(made())
    assert "strict-transport-security" in str(made(tls=tls))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:80", Address("127.0.0.1", 80)),
        ("auth.internal:443", Address("auth.internal", 443)),
        ("[::1]:8080", Address("::1", 8080)),
    ],
)
def test_an_address_is_read(text: str, address: Address) -> None:
    """Names, IPv4 and IPv6 in brackets are understood."""
    assert Address.of(text) == address


@pytest.mark.parametrize("text", ["", "8080", "host:", ":80", "host:x", "host:70000"])
def test_what_is_no_address_is_refused(text: str) -> None:
    """A host without a port, or a port that cannot be, is an error at once."""
    with pytest.raises(ValueError, match="not an address"):
        Address.of(text)
