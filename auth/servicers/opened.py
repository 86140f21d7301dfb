"""Opened sessions and challenges, as every method answers them."""

from collections.abc import Sequence
from uuid import UUID

from auth.domain.factors import Kind
from auth.domain.memberships import Choice
from auth.opening import Challenged, Issued, LoggedIn
from auth.servicers.times import timestamp
from core.identity import Caller
from core.ids import name_of
from medhub.auth.v1 import auth_pb2, factor_pb2

BEARER = "Bearer"
_KINDS = {
    Kind.PASSKEY: factor_pb2.FACTOR_KIND_PASSKEY,
    Kind.TOTP: factor_pb2.FACTOR_KIND_TOTP,
    Kind.SMS: factor_pb2.FACTOR_KIND_SMS,
    Kind.EMAIL_CODE: factor_pb2.FACTOR_KIND_EMAIL_CODE,
    Kind.BACKUP_CODE: factor_pb2.FACTOR_KIND_BACKUP_CODE,
}


def opened_to_proto(made: LoggedIn) -> auth_pb2.OpenedSession:
    """A session with its tokens."""
    return auth_pb2.OpenedSession(
        credentials=credentials_to_proto(made.tokens),
        user=name_of("users", made.user),
        organization=organization_to_proto(made.organization),
        organizations=[choice_to_proto(choice) for choice in made.choices],
        next_step=next_step(made),
    )


def next_step(made: LoggedIn) -> factor_pb2.NextStep:
    """What is missing."""
    if made.factor_missing:
        return factor_pb2.NEXT_STEP_ENROL_FACTOR
    return factor_pb2.NEXT_STEP_UNSPECIFIED


def credentials_to_proto(issued: Issued) -> auth_pb2.Credentials:
    """The tokens of a session."""
    return auth_pb2.Credentials(
        access_token=issued.access_token,
        token_type=BEARER,
        expire_time=timestamp(issued.expires_at),
        refresh_token=issued.refresh_token,
        refresh_expire_time=timestamp(issued.refresh_expires_at),
        session=name_of("sessions", issued.session),
    )


def challenge_to_proto(made: Challenged) -> factor_pb2.Challenge:
    """What is asked besides."""
    return factor_pb2.Challenge(
        token=made.challenge,
        expire_time=timestamp(made.expires_at),
        factors=[
            factor_pb2.FactorChoice(
                factor=name_of("factors", each.id),
                kind=kind_to_proto(each.kind),
                display_name=each.display_name,
            )
            for each in made.factors
        ],
    )


def kind_to_proto(kind: Kind) -> factor_pb2.FactorKind:
    """The kind of a factor."""
    return _KINDS[kind]


def seen_by(caller: Caller, choices: Sequence[Choice]) -> list[Choice]:
    """What a caller sees of where they belong: an organization's provider vouches there alone."""
    return [
        each for each in choices if not caller.federated or each.organization == caller.organization
    ]


def choice_to_proto(choice: Choice) -> auth_pb2.OrganizationChoice:
    """Where a person belongs."""
    return auth_pb2.OrganizationChoice(
        organization=organization_to_proto(choice.organization), display_name=choice.display_name
    )


def organization_to_proto(key: UUID | None) -> str:
    """The name; empty for none."""
    return name_of("organizations", key) if key else ""
