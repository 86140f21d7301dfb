"""The way of an event from a service's outbox to the log: read, sealed, sent, confirmed."""
