"""What auth holds of organizations. People keep their accounts: those are theirs."""

from typing import Final

from auth.storage.tables import metadata
from core.offboarding.belongings import Belongings

_OWN: Final = "{t}.organization_id = :organization_id"
_ACCOUNTS: Final = "(SELECT a.id FROM service_account a WHERE a.organization_id = :organization_id)"
_KEYS: Final = f"(SELECT k.id FROM service_account_key k WHERE k.account_id IN {_ACCOUNTS})"  # noqa: S608 - constants
_PROVIDERS: Final = (
    "(SELECT p.id FROM identity_provider p WHERE p.organization_id = :organization_id)"
)
_SESSIONS: Final = "(SELECT s.id FROM session s WHERE s.organization_id = :organization_id)"
# What is streamed of it; that no token of it is accepted stays, for ever.
_STREAMED: Final = (
    "{t}.event ->> 'organization' = CAST(:organization_id AS text)"
    " AND {t}.key <> 'organization/' || CAST(:organization_id AS text)"
)
_PERSONS: Final = "An account is its person's, who may work elsewhere and may delete it."
_PLATFORM: Final = "It is the platform's."
_SHORT: Final = "It is a person's, and goes by itself within days."


def belongings() -> Belongings:
    """The tables of auth, for an organization that leaves."""
    return Belongings(
        "auth",
        metadata,
        belongs={
            "organization": "{t}.id = :organization_id",
            "session": _OWN,
            "refresh_token": f"{{t}}.session_id IN {_SESSIONS}",
            "challenge": "{t}.wanted_id = :organization_id",
            "service_account": _OWN,
            "service_account_key": f"{{t}}.account_id IN {_ACCOUNTS}",
            "service_key_use": f"{{t}}.key_id IN {_KEYS}",
            "assertion": f"{{t}}.account_id IN {_ACCOUNTS}",
            "activation": _OWN,
            "identity_provider": _OWN,
            "federated_login": f"{{t}}.provider_id IN {_PROVIDERS}",
            "external_identity": f"{{t}}.provider_id IN {_PROVIDERS}",
            "auth_state": _STREAMED,
        },
        apart={
            "app_user": _PERSONS,
            "factor": _PERSONS,
            "backup_code": _PERSONS,
            "account_activity": _PERSONS,
            "mail_token": _SHORT,
            "message": _SHORT,
            "message_count": _SHORT,
            "login_attempt": _SHORT,
            "refusal_count": "It counts by network address and account.",
            "signing_key": _PLATFORM,
            "server_key": _PLATFORM,
            "auth_revision": _PLATFORM,
            "auth_event": "Servers that catch up read it; it goes when no token can need it.",
        },
    )
