"""The tables of auth.

People work for several organizations and log in before they have chosen one, so accounts,
sessions and keys are the platform's. Memberships and roles are the organization's.
"""

from auth.storage.tables.declaring import metadata
from auth.storage.tables.factors import backup_code, challenge, factor
from auth.storage.tables.organizations import (
    access_grant,
    activation,
    membership,
    organization,
    role,
)
from auth.storage.tables.people import (
    account_activity,
    app_user,
    mail_token,
    message,
    message_count,
)
from auth.storage.tables.programs import (
    assertion,
    service_account,
    service_account_key,
    service_key_use,
)
from auth.storage.tables.providers import external_identity, federated_login, identity_provider
from auth.storage.tables.sessions import login_attempt, refresh_token, refusal_count, session
from auth.storage.tables.state import auth_event, auth_revision, auth_state, server_key, signing_key
from core.subject.receipts import receipt_tables
from core.subject.restrictions import restriction_tables

__all__ = [
    "access_grant",
    "account_activity",
    "activation",
    "app_user",
    "assertion",
    "auth_event",
    "auth_revision",
    "auth_state",
    "backup_code",
    "challenge",
    "external_identity",
    "factor",
    "federated_login",
    "identity_provider",
    "login_attempt",
    "mail_token",
    "membership",
    "message",
    "message_count",
    "metadata",
    "organization",
    "refresh_token",
    "refusal_count",
    "role",
    "server_key",
    "service_account",
    "service_account_key",
    "service_key_use",
    "session",
    "signing_key",
]

receipt_tables(metadata)
restriction_tables(metadata)
