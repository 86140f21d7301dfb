"""Statements written as SQL text, each compiled once at import."""

from core.database import sql

__all__ = ["sql"]
