"""The MLLP gateway: HL7 frames in from hospitals, acknowledgements out, in order.

It keeps nothing. Each message is acknowledged with what the clinical service says, or not at
all: then the sender sends it again. The tenant comes from the service account of the endpoint,
never from an address or from the message.
"""
