"""The rules of auth: no clock, no row, no message, no network."""
