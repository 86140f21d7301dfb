"""The contract of auth, method by method."""
