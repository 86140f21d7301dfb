"""What decides which result of an order stands."""

from alembic import op
from sqlalchemy import inspect

from clinical.storage.tables import metadata
from core.database.secure import secure

revision = "0009"
down_revision = "0008"

_COLUMNS = ("sent_status",)


def upgrade() -> None:
    """Add the columns, unless the first tables were made with them."""
    observation = metadata.tables["observation"]
    there = {each["name"] for each in inspect(op.get_bind()).get_columns("observation")}
    for name in _COLUMNS:
        if name not in there:
            op.add_column("observation", observation.c[name].copy())
    secure(op.get_bind(), observation)
