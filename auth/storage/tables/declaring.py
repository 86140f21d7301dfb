"""What the tables of auth have in common."""

from sqlalchemy.dialects.postgresql import TIMESTAMP

from core.database import new_metadata

metadata = new_metadata("auth")

TIME = TIMESTAMP(timezone=True)
V1 = "medhub.auth.v1"
