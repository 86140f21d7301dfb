"""Keys and what is done with them: sealing, wrapping, blind indexes, note signatures.

Nothing here reads a database, a call or the network; keys are bytes handed in.
"""
