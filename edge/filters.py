"""The chain of HTTP filters, and what is done to headers before any of them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edge import limits
from edge.bindings import Operation
from edge.body_guard import GUARD
from edge.refusals import OWN_STATUS
from edge.routes import GRPC_WEB, HEALTH_PATHS, TRANSCODER
from edge.settings import Edge

_HTTP = "type.googleapis.com/envoy.extensions.filters.http"
# The one header of ours that a client may send: the revision of its rights that it has seen.
_OURS = "x-medhub-min-auth-revision"
_KEPT = "x-kept-min-auth-revision"
# Headers by which a proxy tells what it knows. From a client they would be lies.
_FORWARDED = (
    "forwarded", "x-forwarded-client-cert", "x-forwarded-host", "x-forwarded-port",
    "x-forwarded-prefix", "x-forwarded-proto", "x-forwarded-uri", "x-real-ip", "x-client-ip",
    "x-cluster-client-ip", "true-client-ip", "x-original-url", "x-original-uri", "x-rewrite-url",
    "x-http-method-override", "x-method-override", "x-request-id", "x-client-cert",
    "ssl-client-cert",
)  # fmt: skip
_PREFIXES = ("x-medhub-", "x-envoy-", "x-ssl-", "x-amzn-", "x-goog-", "x-spiffe-", _KEPT)
_ALLOWED_HEADERS = (
    "accept-language", "authorization", "content-type", "grpc-timeout", "traceparent", "tracestate",
    "x-grpc-web", _OURS, "x-user-agent",
)  # fmt: skip
_EXPOSED_HEADERS = (
    "grpc-message,grpc-status,grpc-status-details-bin,retry-after,x-medhub-auth-revision"
)
_LOOPBACK = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?"


def filters(edge: Edge, operations: Iterable[Operation], folder: Path) -> list[dict[str, Any]]:
    """The filters in the order in which a request meets them."""
    services = sorted({operation.method.service for operation in operations})
    return [
        _filter("envoy.filters.http.header_mutation", "header_mutation.v3.HeaderMutation", {
            "mutations": {"response_mutations": _response_headers(edge)}
        }),
        _filter("envoy.filters.http.cors", "cors.v3.Cors", {}),
        *(_health(path, edge) for path in HEALTH_PATHS),
        _filter(GRPC_WEB, "grpc_web.v3.GrpcWeb", {}),
        {**_filter(GUARD, "lua.v3.Lua", {
            "default_source_code": {"filename": str(folder / "body_guard.lua")}
        }), "disabled": True},
        {**_transcoder(services, folder), "disabled": True},
        _filter("envoy.filters.http.router", "router.v3.Router", {
            "suppress_envoy_headers": True,
            "respect_expected_rq_timeout": False,
        }),
    ]  # fmt: skip


def _filter(name: str, kind: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "typed_config": {"@type": f"{_HTTP}.{kind}", **config}}


def _health(path: str, edge: Edge) -> dict[str, Any]:
    """200 while every service has a server that serves, 503 otherwise."""
    return _filter(f"envoy.filters.http.health_check{path}", "health_check.v3.HealthCheck", {
        "pass_through_mode": False,
        "headers": [
            {"name": ":path", "string_match": {"safe_regex": {"regex": rf"{path}(\?.*)?"}}},
            {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD"}}},
        ],
        # The least that is above none: one server of many is enough to serve.
        "cluster_min_healthy_percentages": {
            name: {"value": 1} for name in sorted(edge.services)
        },
    })  # fmt: skip


def _transcoder(services: list[str], folder: Path) -> dict[str, Any]:
    return _filter(TRANSCODER, "grpc_json_transcoder.v3.GrpcJsonTranscoder", {
        "proto_descriptor": str(folder / "contract.binpb"),
        "services": services,
        # The route was chosen by the path as it came, and stays.
        "match_incoming_request_route": True,
        "convert_grpc_status": True,
        "print_options": {
            "always_print_primitive_fields": True,
            "preserve_proto_field_names": True,
        },
        "request_validation_options": {
            "reject_unknown_method": True,
            "reject_unknown_query_parameters": True,
            "reject_binding_body_field_collisions": False,
        },
        "max_request_body_size": limits.BODY_BYTES,
        "max_response_body_size": limits.ANSWER_BYTES,
    })  # fmt: skip


def early_mutation(edge: Edge) -> dict[str, Any]:
    """Strips, before anything looks at them, the headers that only the platform may set."""
    forwarded = (*_FORWARDED, *(() if edge.trusted_hops else ("x-forwarded-for",)))
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.http.early_header_mutation"
            ".header_mutation.v3.HeaderMutation",
            "mutations": [
                {"remove": _KEPT},
                _set(_KEPT, f"%REQ({_OURS})%"),
                *({"remove": name} for name in forwarded),
                *(
                    {"remove_on_match": {"key_matcher": {"prefix": prefix}}}
                    for prefix in _PREFIXES
                    if prefix != _KEPT
                ),
                # Nobody here reads a binary header, and a server that cannot decode one answers, by
                # itself, that the fault is its own.
                {"remove_on_match": {"key_matcher": {"suffix": "-bin"}}},
                _set(_OURS, f"%REQ({_KEPT})%"),
                {"remove": _KEPT},
            ],
        },
    }


def _set(name: str, value: str, action: str = "OVERWRITE_IF_EXISTS_OR_ADD") -> dict[str, Any]:
    # An empty value adds nothing: Envoy keeps empty headers only when asked to.
    return {"append": {"header": {"key": name, "value": value}, "append_action": action}}


def _response_headers(edge: Edge) -> list[dict[str, Any]]:
    """Headers of every answer; what a document of the edge says of itself stays."""
    headers = {
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "cross-origin" if edge.origins else "same-site",
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    }
    if edge.tls is not None:
        # Two years; over plain HTTP the header means nothing.
        headers["strict-transport-security"] = "max-age=63072000"
    return [
        {"remove": "x-envoy-upstream-healthchecked-cluster"},
        _set("grpc-status", f"%RESP({OWN_STATUS})%", "OVERWRITE_IF_EXISTS"),
        {"remove": OWN_STATUS},
        *(_set(name, value, "ADD_IF_ABSENT") for name, value in headers.items()),
    ]


def cors(edge: Edge) -> dict[str, Any]:
    """Which pages of other origins may call; none unless said."""
    origins: list[dict[str, Any]] = [{"exact": origin} for origin in edge.origins]
    if edge.loopback_origins:
        origins.append({"safe_regex": {"regex": _LOOPBACK}})
    return {
        "@type": f"{_HTTP}.cors.v3.CorsPolicy",
        "allow_origin_string_match": origins,
        "allow_methods": "GET,POST,PATCH,DELETE",
        "allow_headers": ",".join(_ALLOWED_HEADERS),
        "expose_headers": _EXPOSED_HEADERS,
        "max_age": str(limits.CORS_SECONDS),
        # Tokens travel in a header, never in a cookie.
        "allow_credentials": False,
        "forward_not_matching_preflights": False,
    }
