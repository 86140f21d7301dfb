"""HL7 v2: frames, charsets, messages, acknowledgements; all of it free of sockets and rows.

bytes → `framing` → `charset` → `message` → `reading` (with `adt` and `oru`) → domain values,
and back to the sender through `ack`, which needs nothing but the bytes of the header.
"""
