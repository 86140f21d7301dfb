"""The rows of auth."""
