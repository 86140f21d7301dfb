"""Envoy's whole configuration, made from the contract: one listener in front of all services."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.contract import Contract
from edge import limits
from edge.access_log import access_logs
from edge.bindings import operations
from edge.clusters import clusters, socket_address
from edge.documents import documents
from edge.filters import cors, early_mutation, filters
from edge.refusals import local_replies
from edge.routes import matcher
from edge.settings import Edge, Tls

_MANAGER = (
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3"
    ".HttpConnectionManager"
)


# The expression of a traceparent, spelt out, has 109 steps; Envoy takes 100 unless told otherwise.
_RUNTIME = {"re2.max_program_size.error_level": 128}


class ServiceWithoutAddress(Exception):
    """The contract has a service, and nobody said where it runs."""


def configuration(edge: Edge, contract: Contract, folder: Path) -> dict[str, Any]:
    """The bootstrap of an Envoy whose other files stand in `folder`.

    Raises ServiceWithoutAddress when a part of the contract has no server.
    """
    exposed = operations(contract)
    missing = sorted({o.cluster for o in exposed} - edge.services.keys())
    if missing:
        raise ServiceWithoutAddress(", ".join(missing))
    found_by = matcher(exposed, documents(folder), edge)
    http = {
        **_manager(edge),
        "http_filters": filters(edge, exposed, folder),
        "local_reply_config": local_replies(contract),
        "route_config": _route_config(edge, found_by),
    }
    return {
        "node": {"id": "edge", "cluster": "medhub"},
        **_admin(edge),
        "overload_manager": _overload(),
        "layered_runtime": {"layers": [{"name": "edge", "static_layer": _RUNTIME}]},
        "static_resources": {"listeners": [_listener(edge, http)], "clusters": clusters(edge)},
    }


def _admin(edge: Edge) -> dict[str, Any]:
    return {"admin": {"address": socket_address(edge.admin)}} if edge.admin else {}


def _overload() -> dict[str, Any]:
    name = "envoy.resource_monitors.global_downstream_max_connections"
    kind = (
        "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
    )
    config = {
        "@type": f"type.googleapis.com/{kind}",
        "max_active_downstream_connections": limits.CONNECTIONS,
    }
    return {"resource_monitors": [{"name": name, "typed_config": config}]}


def _listener(edge: Edge, http: Mapping[str, Any]) -> dict[str, Any]:
    chain: dict[str, Any] = {
        "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": http}]
    }
    if edge.tls is not None:
        chain["transport_socket"] = _tls(edge.tls)
    return {
        "name": "edge",
        "address": socket_address(edge.listen),
        "per_connection_buffer_limit_bytes": limits.BODY_BYTES,
        "filter_chains": [chain],
    }


def _tls(tls: Tls) -> dict[str, Any]:
    pair = {
        "certificate_chain": {"filename": str(tls.certificate)},
        "private_key": {"filename": str(tls.key)},
    }
    common: dict[str, Any] = {
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_certificates": [pair],
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
    }
    if tls.client_authority is not None:
        common["validation_context"] = {"trusted_ca": {"filename": str(tls.client_authority)}}
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3"
            ".DownstreamTlsContext",
            "common_tls_context": common,
        },
    }


def _asks(edge: Edge) -> bool:
    """Whether callers may show certificates, of which the services are then told."""
    return edge.tls is not None and edge.tls.client_authority is not None


def _manager(edge: Edge) -> dict[str, Any]:
    """The connection manager without its filters and routes: what it takes, and how long."""
    return {
        "@type": _MANAGER,
        "stat_prefix": "edge",
        "codec_type": "AUTO",
        "server_name": "medhub",
        "use_remote_address": True,
        "xff_num_trusted_hops": edge.trusted_hops,
        # No address is trusted to speak for Envoy, not even loopback.
        "internal_address_config": {},
        # Envoy adds the SHA-256 of the certificate that it has verified, and nobody else does.
        "forward_client_cert_details": "SANITIZE_SET" if _asks(edge) else "SANITIZE",
        "early_header_mutation_extensions": [early_mutation(edge)],
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "strip_any_host_port": True,
        "generate_request_id": False,
        "max_request_headers_kb": limits.HEADER_KIB,
        "request_headers_timeout": f"{limits.HEADERS_SECONDS}s",
        "request_timeout": f"{limits.REQUEST_SECONDS}s",
        "stream_idle_timeout": f"{limits.IDLE_SECONDS}s",
        "common_http_protocol_options": {
            "idle_timeout": f"{limits.IDLE_SECONDS}s",
            "max_headers_count": limits.HEADER_COUNT,
            # `x_medhub_…` must not become `x-medhub-…` further on.
            "headers_with_underscores_action": "DROP_HEADER",
        },
        "http2_protocol_options": {
            "max_concurrent_streams": 128,
            "initial_stream_window_size": 256 * 1024,
            "initial_connection_window_size": limits.BODY_BYTES,
        },
        "access_log": access_logs(),
    }


def _route_config(edge: Edge, found_by: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "contract",
        "max_direct_response_body_size_bytes": limits.DOCUMENT_BYTES,
        "virtual_hosts": [
            {
                "name": "all",
                "domains": ["*"],
                "typed_per_filter_config": {"envoy.filters.http.cors": cors(edge)},
                "matcher": found_by,
            }
        ],
    }
