"""Rows of the billing service."""
