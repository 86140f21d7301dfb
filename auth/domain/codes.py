"""Codes that are sent, and codes on paper: random, kept as digests, good once."""

import hashlib
import hmac
import re
import secrets

SENT_DIGITS = 6

BACKUP_CODES = 10
"""In one set: enough for a year of lost telephones, few enough for a slip of paper."""

_BACKUP_LENGTH = 10
# Crockford's base32 has no letter that is taken for another: 50 bits, hashed as passwords are
# (OWASP ASVS 6.5.2). The first character of a code says which of the set it is, so one hash tells.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOKS_LIKE = str.maketrans("OIL", "011")
_WRITTEN = re.compile(rf"([0-9])([{_ALPHABET}]{{{_BACKUP_LENGTH}}})")


def new_sent_code() -> str:
    """What an SMS or a mail carries."""
    return str(secrets.randbelow(10**SENT_DIGITS)).zfill(SENT_DIGITS)


def sent_code_hash(key: bytes, challenge: bytes, code: str) -> bytes:
    """What is kept of it: good for its challenge alone, and of no use without the server's key."""
    return hmac.digest(key, b"\0".join((b"code", challenge, code.encode())), hashlib.sha256)


def new_backup_codes() -> list[str]:
    """A set; the place of a code in it is its first character."""
    return [
        f"{number}-{_random(_BACKUP_LENGTH // 2)}-{_random(_BACKUP_LENGTH // 2)}"
        for number in range(BACKUP_CODES)
    ]


def read_backup_code(typed: str) -> tuple[int, str] | None:
    """Which code of the set it is, and the form that is hashed; None for what is none."""
    bare = re.sub(r"[\s-]", "", typed).upper().translate(_LOOKS_LIKE)
    found = _WRITTEN.fullmatch(bare)
    return (int(found[1]), found[2]) if found else None


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
