"""What a password hash costs whoever has stolen it."""

from auth.hashing import matches
from tests.support.hashes import IN_EARNEST


def test_a_hash_costs_what_owasp_asks_for() -> None:
    """Argon2id, 46 MiB, one pass, one lane, written into the hash and so asked of each check."""
    kept = IN_EARNEST.hash("bright-kestrel-orbit-41")

    assert kept.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert matches(kept, "bright-kestrel-orbit-41")
    assert not matches(kept, "bright-kestrel-orbit-42")
