"""E-mail addresses: kept as typed, compared by a key."""

import unicodedata


def email_key(email: str) -> str:
    """The form in which two spellings of one address are the same.

    RFC 5321 lets a server tell the case of a local part apart; none in use does, and people
    type it as they please. NFKC joins the ways in which Unicode writes one character.
    """
    folded = unicodedata.normalize("NFKC", email.strip()).casefold()
    return unicodedata.normalize("NFKC", folded)


def domain_of(email: str) -> str:
    """The domain of an address, in the form in which domains are compared."""
    return email_key(email).rpartition("@")[2]
