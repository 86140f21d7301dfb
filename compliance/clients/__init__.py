"""Stubs of other services, one file for each contract that is called."""
