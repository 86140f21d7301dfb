"""Bounds that both ends of a connection share."""

# A message may be this large: an HL7 message with a document inside is tens of MiB at most.
MAX_MESSAGE_BYTES = 20 * 1024 * 1024
# A request is read up to this, so that who sends too much reads so with a reason and the limit.
# Past it gRPC refuses in its own words, for memory's sake.
READ_MESSAGE_BYTES = 2 * MAX_MESSAGE_BYTES
# The metadata of a call, as HTTP/2 counts it (32 bytes for each entry beside its text). The edge
# lets 32 KiB of headers in, at most 64 of them, and adds a handful: what passes it is never refused
# here, so a client of the edge meets one limit, which is told with a reason.
METADATA_BYTES = 64 * 1024
# A connection without traffic is probed this often, and given up when no answer comes.
KEEPALIVE_MS = 30 * 1000
KEEPALIVE_TIMEOUT_MS = 10 * 1000
