"""Alembic's entry: everything is in core.database.migrations."""

from core.database.migrations import run_env

run_env()
