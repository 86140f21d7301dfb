"""What auth refuses for, beside the shared reasons."""

from core.errors import Refusal

# Long enough for a provider to be started anew, short enough for a person who waits.
PROVIDER_RETRY_SECONDS = 5.0


class InvalidCredentials(Refusal):
    """The address or the password is wrong, or the account cannot log in: which, is not told."""

    reason = "INVALID_CREDENTIALS"


class RefreshRefused(Refusal):
    """The refresh token is unknown, spent or expired, or its session has ended."""

    reason = "REFRESH_REFUSED"


class TokenInvalid(Refusal):
    """The access token is malformed, expired or revoked."""

    reason = "TOKEN_INVALID"


class AssertionRefused(Refusal):
    """The assertion does not prove a service account that may act."""

    reason = "ASSERTION_REFUSED"


class NotAMember(Refusal):
    """The person does not belong to the organization, or there is no such organization."""

    reason = "NOT_A_MEMBER"


class AlreadyAMember(Refusal):
    """The person belongs to the organization already, or is invited."""

    reason = "ALREADY_A_MEMBER"


class RoleExists(Refusal):
    """The id is taken by a built-in role or by one of the organization."""

    reason = "ROLE_EXISTS"


class EscalationRefused(Refusal):
    """Somebody would give a permission that they do not hold."""

    reason = "ESCALATION_REFUSED"

    def __init__(self, permission: str) -> None:
        super().__init__(metadata={"permission": permission})


class GrantToOneself(Refusal):
    """Somebody would give themselves access to a record."""

    reason = "GRANT_TO_ONESELF"


class TooManyGrants(Refusal):
    """The person holds as many grants at once, or took as many emergencies, as one person may."""

    reason = "TOO_MANY_GRANTS"

    def __init__(self, most: int, retry_after: float | None = None) -> None:
        super().__init__(metadata={"most": str(most)}, retry_after=retry_after)


class NotAnEmergency(Refusal):
    """The grant was given by a colleague: there is nothing to look into."""

    reason = "NOT_AN_EMERGENCY"


class ReviewOfOnesOwn(Refusal):
    """Nobody judges an emergency of their own."""

    reason = "REVIEW_OF_ONES_OWN"


class LastAdministrator(Refusal):
    """The organization would be left without an administrator who can log in."""

    reason = "LAST_ADMINISTRATOR"


class ActivationRefused(Refusal):
    """The activation token is unknown, used, expired or not for this account: not told which."""

    reason = "ACTIVATION_REFUSED"


class PasswordTooCommon(Refusal):
    """The password is among those that are guessed first."""

    reason = "PASSWORD_TOO_COMMON"


class RevisionOutOfRange(Refusal):
    """The revision to resume from is beyond what was issued."""

    reason = "REVISION_OUT_OF_RANGE"


class ChallengeRefused(Refusal):
    """The challenge or enrolment is unknown, answered, too old or out of tries: not told which."""

    reason = "CHALLENGE_REFUSED"


class CodeRefused(Refusal):
    """The code or signature is wrong, was used, or comes too soon: which, is not told."""

    reason = "CODE_REFUSED"


class FactorNotAllowed(Refusal):
    """None of the person's organizations allows factors of this kind."""

    reason = "FACTOR_NOT_ALLOWED"


class LastFactor(Refusal):
    """An organization asks for two factors, and this is the last one that it accepts."""

    reason = "LAST_FACTOR"


class PasskeyRefused(Refusal):
    """The credential does not answer the registration, or is known already."""

    reason = "PASSKEY_REFUSED"


class TooManyFactors(Refusal):
    """The account has as many factors as one can have."""

    reason = "TOO_MANY_FACTORS"


class FactorRequired(Refusal):
    """One factor was proven where two are asked for, or the person has not the one needed."""

    reason = "FACTOR_REQUIRED"


class FactorsElsewhere(Refusal):
    """The member's account is not this organization's alone, or is the caller's own."""

    reason = "FACTORS_ELSEWHERE"


class TooManyCodes(Refusal):
    """As many codes as an hour allows were sent to this recipient, or asked for by the account."""

    reason = "TOO_MANY_CODES"


class TooManyInvitations(Refusal):
    """As many invitations as an hour allows were sent for this organization, or for the caller."""

    reason = "TOO_MANY_INVITATIONS"


class Overloaded(Refusal):
    """More passwords wait to be checked than can be within a caller's patience."""

    reason = "OVERLOADED"


class TooManyKeys(Refusal):
    """A service account has as many keys as it may have."""

    reason = "TOO_MANY_KEYS"


class LastKey(Refusal):
    """A service account would be left without a key."""

    reason = "LAST_KEY"


class FederationRefused(Refusal):
    """The sign-in with the organization's provider does not hold; what of it, is not told."""

    reason = "FEDERATION_REFUSED"


class IdentityNotLinked(Refusal):
    """The provider knows the person, and nothing ties them to the organization."""

    reason = "IDENTITY_NOT_LINKED"


class IdentityTaken(Refusal):
    """The person at the provider is tied to another account."""

    reason = "IDENTITY_TAKEN"


class ProviderUnreachable(Refusal):
    """The organization's provider does not answer, or not as the standard asks."""

    reason = "PROVIDER_UNREACHABLE"

    def __init__(self) -> None:
        super().__init__(retry_after=PROVIDER_RETRY_SECONDS)


class RegistrationRefused(Refusal):
    """The organization takes no registration with this address."""

    reason = "REGISTRATION_REFUSED"


class VerificationRefused(Refusal):
    """The token of a mail is unknown, spent or too old, or its address is taken."""

    reason = "VERIFICATION_REFUSED"


class ReauthenticationFailed(Refusal):
    """The password that was to prove the caller once more is wrong, or comes too soon."""

    reason = "REAUTHENTICATION_FAILED"


class ResetRefused(Refusal):
    """The token to reset a password is unknown, spent or too old."""

    reason = "RESET_REFUSED"


class RoleBuiltIn(Refusal):
    """The role ships with medhub and is the same in every organization."""

    reason = "ROLE_BUILT_IN"


class RoleHeld(Refusal):
    """Somebody holds the role, is invited to it or gets it by joining."""

    reason = "ROLE_HELD"


class OrganizationCreationClosed(Refusal):
    """The operator lets nobody found an organization, or the caller is a program."""

    reason = "ORGANIZATION_CREATION_CLOSED"


class NotInvited(Refusal):
    """The membership was accepted, or is suspended: there is no invitation to act on."""

    reason = "NOT_INVITED"
