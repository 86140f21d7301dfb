"""A service without tables."""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """There is nothing to make."""
