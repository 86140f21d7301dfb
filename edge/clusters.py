"""One cluster per service: its addresses, spoken to over HTTP/2, asked for their health."""

import ipaddress
from typing import Any

from edge import limits
from edge.settings import Address, Edge, Upstream

_TLS = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
_HTTP2 = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def clusters(edge: Edge) -> list[dict[str, Any]]:
    """Every cluster, in the order of the services' names."""
    return [_cluster(name, edge.services[name], edge) for name in sorted(edge.services)]


def _cluster(name: str, addresses: tuple[Address, ...], edge: Edge) -> dict[str, Any]:
    return {
        **_proven(edge.upstream),
        "name": name,
        "type": "STATIC" if all(map(_is_number, addresses)) else "STRICT_DNS",
        "connect_timeout": f"{limits.CONNECT_SECONDS}s",
        "lb_policy": "LEAST_REQUEST",
        # A server that says NOT_SERVING is left out while another one serves. If none does, calls
        # still reach them: only they can say why they refuse, and when to come back.
        "common_lb_config": {"healthy_panic_threshold": {"value": 1}},
        "health_checks": [_health(edge.health_seconds)],
        "ignore_health_on_host_removal": True,
        "circuit_breakers": {
            "thresholds": [_limits(priority, len(addresses)) for priority in ("DEFAULT", "HIGH")]
        },
        "typed_extension_protocol_options": {_HTTP2: _http2()},
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": _endpoint(a)} for a in addresses]}],
        },
    }


def _proven(upstream: Upstream | None) -> dict[str, Any]:
    """TLS in which both sides prove themselves, health checks included; nothing without files."""
    if upstream is None:
        return {}
    pair = {
        "certificate_chain": {"filename": str(upstream.certificate)},
        "private_key": {"filename": str(upstream.key)},
    }
    named = {"san_type": "DNS", "matcher": {"exact": upstream.server_name}}
    return {
        "transport_socket": {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": f"type.googleapis.com/{_TLS}",
                "sni": upstream.server_name,
                "common_tls_context": {
                    "alpn_protocols": ["h2"],
                    "tls_certificates": [pair],
                    "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                    "validation_context": {
                        "trusted_ca": {"filename": str(upstream.authority)},
                        "match_typed_subject_alt_names": [named],
                    },
                },
            },
        }
    }


def _is_number(address: Address) -> bool:
    try:
        ipaddress.ip_address(address.host)
    except ValueError:
        return False
    return True


def _endpoint(address: Address) -> dict[str, Any]:
    return {"address": socket_address(address)}


def socket_address(address: Address) -> dict[str, Any]:
    """An address as Envoy writes it."""
    return {"socket_address": {"address": address.host, "port_value": address.port}}


def _health(seconds: float) -> dict[str, Any]:
    """Asks for the whole server (the empty name), which serves when each of its services does."""
    every = f"{seconds:g}s"
    return {
        "timeout": "2s",
        "interval": every,
        # Envoy asks rarely where no call has been made yet, unless told otherwise.
        "no_traffic_interval": every,
        "no_traffic_healthy_interval": every,
        "unhealthy_interval": every,
        "unhealthy_edge_interval": every,
        "healthy_edge_interval": every,
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "grpc_health_check": {"service_name": ""},
    }


def _limits(priority: str, addresses: int) -> dict[str, Any]:
    calls = limits.CALLS * addresses
    return {
        "priority": priority,
        "max_requests": calls,
        "max_pending_requests": calls,
        "max_retries": 64,
    }


def _http2() -> dict[str, Any]:
    return {
        "@type": f"type.googleapis.com/{_HTTP2}",
        "explicit_http_config": {
            "http2_protocol_options": {
                "max_concurrent_streams": 2 * limits.CALLS,
                # A server that vanished without a word is noticed.
                "connection_keepalive": {"interval": "30s", "timeout": "10s"},
            }
        },
    }
