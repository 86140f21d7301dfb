"""Rows of the clinical service."""
