"""What lists are asked with."""

from uuid import UUID

from core.database.pages import Listing, PageTokens
from core.ids import id_from


def after(pages: PageTokens, token: str, listing: Listing) -> UUID | None:
    """The row behind which a page begins; None for the first. Raises InvalidPageToken."""
    key = pages.open(token, listing)
    return UUID(str(key[0])) if key else None


def patient_of(name: str, field: str) -> UUID | None:
    """The patient of a name; None for none. Raises InvalidName."""
    return id_from(name, "patients", field=field) if name else None
