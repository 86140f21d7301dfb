"""Passkeys: the options that a browser is given, and what its answers prove (WebAuthn Level 2).

Every passkey verifies its owner, by a finger, a face or a number, at registration and at each use:
so it proves two factors by itself. No attestation is asked for; who made the device says nothing
that medhub would act on.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

TIMEOUT_MILLISECONDS = 120_000
"""How long a browser waits for its user: a phone has to be found, and a code to be scanned."""


class NoProof(Exception):
    """The answer proves nothing."""


@dataclass(frozen=True, slots=True)
class Party:
    """Who asks: the domain that passkeys belong to, and the pages that may use them."""

    id: str
    name: str
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Credential:
    """A registered passkey."""

    id: bytes
    public_key: bytes
    sign_count: int


def registration_options(
    party: Party, nonce: bytes, user: UUID, account: str, known: Sequence[bytes]
) -> str:
    """JSON for `navigator.credentials.create`; the devices of `known` are not asked again."""
    options = generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=user.bytes,
        user_name=account,
        challenge=nonce,
        timeout=TIMEOUT_MILLISECONDS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
    )
    return options_to_json(options)


def registered(party: Party, nonce: bytes, credential_json: str) -> Credential:
    """The passkey that answers the options. Raises NoProof."""
    try:
        _refuse_framed(credential_json)
        found = verify_registration_response(
            credential=credential_json,
            expected_challenge=nonce,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            require_user_verification=True,
        )
    except Exception:  # noqa: BLE001 - what a stranger's bytes trip the library over proves nothing
        raise NoProof from None
    return Credential(found.credential_id, found.credential_public_key, found.sign_count)


def authentication_options(party: Party, nonce: bytes, allowed: Sequence[bytes] = ()) -> str:
    """JSON for `navigator.credentials.get`; without `allowed` any passkey of the domain answers."""
    options = generate_authentication_options(
        rp_id=party.id,
        challenge=nonce,
        timeout=TIMEOUT_MILLISECONDS,
        allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in allowed],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def credential_of(credential_json: str) -> tuple[bytes, bytes | None]:
    """Which passkey answers, and whose it says it is. Nothing is proven. Raises NoProof."""
    try:
        said = json.loads(credential_json)
        handle = said["response"].get("userHandle")
        return base64url_to_bytes(said["rawId"]), base64url_to_bytes(handle) if handle else None
    except Exception:  # noqa: BLE001 - what a stranger's bytes trip the library over proves nothing
        raise NoProof from None


def _refuse_framed(credential_json: str) -> None:
    """Refuse what was answered in a frame of another site (WebAuthn Level 3, 7.1 and 7.2).

    Our pages stand in no frames, so the person has seen another page around it. Raises NoProof.
    """
    said = json.loads(credential_json)["response"]["clientDataJSON"]
    client = json.loads(base64url_to_bytes(said))
    if client.get("crossOrigin", False) is not False or "topOrigin" in client:
        raise NoProof


def authenticated(party: Party, nonce: bytes, credential_json: str, known: Credential) -> int:
    """What the authenticator has counted, if the passkey has signed. Raises NoProof."""
    try:
        _refuse_framed(credential_json)
        found = verify_authentication_response(
            credential=credential_json,
            expected_challenge=nonce,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            credential_public_key=known.public_key,
            credential_current_sign_count=known.sign_count,
            require_user_verification=True,
        )
    except Exception:  # noqa: BLE001 - what a stranger's bytes trip the library over proves nothing
        raise NoProof from None
    return found.new_sign_count
