"""Between the wire and the servicers: every call passes the same steps, in the same order."""
