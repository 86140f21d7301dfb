"""Rows of analytics: facts, and their sums by quarter of an hour."""
