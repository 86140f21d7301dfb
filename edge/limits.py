"""The amounts and times that the edge holds to."""

# A request or an answer larger than this belongs into pages or a stream. Envoy buffers both whole
# to turn them into the other form.
BODY_BYTES = 1024 * 1024
# The largest answer of a service is one HL7 message with what was answered (20 MiB), whose bytes
# JSON writes as base64.
ANSWER_BYTES = 28 * 1024 * 1024
# Envoy's own parser gives up past 64 and once answered 200 with nothing (envoyproxy/envoy#21490);
# the deepest message of the contract has 5 levels.
JSON_DEPTH = 32
# The documents that the edge serves itself; openapi.json is the largest.
DOCUMENT_BYTES = 8 * 1024 * 1024
# Headers of a request, in KiB: a token has about 1, a traceparent 55 bytes. Servers take more, so
# that this is the one limit (METADATA_BYTES of core).
HEADER_KIB = 32
HEADER_COUNT = 64
# How long a client may take to send its headers, and its whole request.
HEADERS_SECONDS = 10
REQUEST_SECONDS = 30
# A connection without a request.
IDLE_SECONDS = 300
# What the edge adds to the deadline it passes on, so that the server's own answer comes first.
GRACE_SECONDS = 0.5
CONNECT_SECONDS = 1
# Connections from outside; this only protects the edge.
CONNECTIONS = 20_000
# Calls in progress towards each address of a service: as many that are short, and as many others.
# More keep no server busier, they only wait; and to refuse one costs a server a third of a read,
# and the edge next to nothing.
CALLS = 128
# When a caller who is one too many may come back, in seconds.
RETRY_SECONDS = 0.2
# How long a browser may remember what CORS allows.
CORS_SECONDS = 600
