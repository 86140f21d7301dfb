"""What is no address is refused, and nothing that gRPC takes as one is."""

from collections.abc import Callable

import pytest

from core.addresses import (
    check_collector,
    check_listen,
    check_proxies,
    check_target,
    check_tcp_listen,
)


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (check_listen, "127.0.0.1:0"),
        (check_listen, "0.0.0.0:65535"),
        (check_listen, "[::]:443"),
        (check_listen, "localhost:443"),
        (check_listen, "unix:/run/medhub.sock"),
        (check_tcp_listen, ""),
        (check_tcp_listen, "[::1]:9464"),
        (check_target, "auth:443"),
        (check_target, "auth_1.internal.:443"),
        (check_target, "[::1]:443"),
        (check_target, "ipv4:10.0.0.1:443"),
        (check_target, "ipv4:10.0.0.1:443,10.0.0.2:443"),
        (check_target, "ipv6:[::1]:443,[fe80::1]:443"),
        (check_target, "dns:///auth.internal:443"),
        (check_target, "dns://10.0.0.53/auth.internal:443"),
        (check_target, "dns:auth.internal:443"),
        (check_target, "unix:/run/medhub.sock"),
        (check_target, "unix:///run/medhub.sock"),
        (check_proxies, ""),
        (check_proxies, "127.0.0.1,::1"),
        (check_collector, ""),
        (check_collector, "http://collector:4317"),
        (check_collector, "https://collector.example.org"),
    ],
)
def test_an_address_is_taken_as_it_stands(check: Callable[[str], str], text: str) -> None:
    """By each of the spellings that the documentation names."""
    assert check(text) == text


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (check_listen, ""),
        (check_listen, "nohost"),
        (check_listen, ":443"),
        (check_listen, "127.0.0.1"),
        (check_listen, "127.0.0.1:99999"),
        (check_listen, "127.0.0.1:-1"),
        (check_listen, "127.0.0.1:https"),
        (check_listen, "::1:443"),
        (check_listen, "[10.0.0.1]:443"),
        (check_listen, "dns:///auth:443"),
        (check_listen, "unix:"),
        (check_tcp_listen, "127.0.0.1:65536"),
        (check_tcp_listen, "unix:/run/medhub.sock"),
        (check_target, ""),
        (check_target, "nonsense://x"),
        (check_target, "https://auth:443"),
        (check_target, "auth"),
        (check_target, "auth:0"),
        (check_target, "auth:70000"),
        (check_target, "ipv4:auth:443"),
        (check_target, "ipv4:10.0.0.1:443,"),
        (check_target, "ipv4:10.0.0.1"),
        (check_target, "ipv6:10.0.0.1:443"),
        (check_target, "ipv6:::1:443"),
        (check_target, "dns:///auth"),
        (check_target, "dns:///"),
        (check_proxies, "foo"),
        (check_proxies, "10.0.0.0/8"),
        (check_proxies, "127.0.0.1:443"),
        (check_collector, "garb"),
        (check_collector, "collector:4317"),
        (check_collector, "http://"),
        (check_collector, "http://collector:99999"),
    ],
)
def test_what_is_none_is_refused(check: Callable[[str], str], text: str) -> None:
    """A port that is none, a scheme that nobody knows, a name where numbers belong."""
    with pytest.raises(ValueError, match=r"HOST:PORT|numbers"):
        check(text)


def test_proxies_are_spelled_as_peers_are() -> None:
    """Else an edge would not be believed, without a word."""
    assert check_proxies(" 10.0.0.1, 0:0::1 ,") == "10.0.0.1,::1"
