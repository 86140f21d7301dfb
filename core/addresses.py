"""Addresses as settings spell them; what is none is refused before gRPC takes it for another."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

# gRPC would take the remainder of a larger number.
LARGEST_PORT = 65535
_NO_LISTEN = f"an address to listen on is HOST:PORT, with a port up to {LARGEST_PORT}"
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?")
_DNS = re.compile(r"dns:(//[^/]*/)?")


def check_listen(text: str) -> str:
    """An address to listen on: `HOST:PORT`, or `unix:PATH`. Raises ValueError."""
    if not (_is_host_and_port(text, smallest=0) or _is_socket(text)):
        raise ValueError(_NO_LISTEN)
    return text


def check_tcp_listen(text: str) -> str:
    """An address to listen on by TCP: `HOST:PORT`; empty: none. Raises ValueError."""
    if text and not _is_host_and_port(text, smallest=0):
        raise ValueError(_NO_LISTEN)
    return text


def check_target(text: str) -> str:
    """Where a service is: one address, or what gRPC finds several by. Raises ValueError."""
    scheme, _, addresses = text.partition(":")
    if scheme in {"ipv4", "ipv6"}:
        known = all(_is_numeric(each, scheme) for each in addresses.split(","))
    elif found := _DNS.match(text):
        known = _is_host_and_port(text[found.end() :])
    else:
        known = _is_host_and_port(text) or _is_socket(text)
    if not known:
        raise ValueError(
            "a service is at HOST:PORT, ipv4:HOST:PORT,…, ipv6:[HOST]:PORT,…, dns:///NAME:PORT"
            " or unix:PATH"
        )
    return text


def check_proxies(text: str) -> str:
    """Addresses, separated by commas, as gRPC spells those of peers. Raises ValueError."""
    given = [each.strip() for each in text.split(",") if each.strip()]
    try:
        return ",".join(str(ip_address(each)) for each in given)
    except ValueError:
        raise ValueError("proxies are addresses in numbers, separated by commas") from None


def check_collector(text: str) -> str:
    """The URL of a collector; empty: none. Raises ValueError."""
    if text and not _is_url(text):
        raise ValueError("a collector is at http://HOST:PORT or https://HOST:PORT")
    return text


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _is_host_and_port(text: str, smallest: int = 1) -> bool:
    host, _, port = text.rpartition(":")
    if not _is_port(port, smallest):
        return False
    if host.startswith("[") and host.endswith("]"):
        return _version(host[1:-1]) == 6
    return _NAME.fullmatch(host) is not None


def _is_numeric(text: str, scheme: str) -> bool:
    host, _, port = text.rpartition(":")
    if scheme == "ipv6" and not (host.startswith("[") and host.endswith("]")):
        return False
    return _is_port(port, 1) and f"ipv{_version(host.strip('[]'))}" == scheme


def _is_port(text: str, smallest: int) -> bool:
    # Five digits at most: a number may be long without being large.
    return re.fullmatch(r"[0-9]{1,5}", text) is not None and smallest <= int(text) <= LARGEST_PORT


def _version(host: str) -> int:
    """4 or 6; 0 for what is no address in numbers."""
    try:
        return ip_address(host).version
    except ValueError:
        return 0


def _is_socket(text: str) -> bool:
    return text.startswith("unix:") and len(text) > len("unix:")
