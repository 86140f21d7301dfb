"""AuthService: log-in, renewal, log-out, and questions about one's own rights."""

from uuid import UUID

from auth.domain.passwords import check_new_password
from auth.domain.refusals import ActivationRefused, NotAMember, TokenInvalid
from auth.ending import end_one
from auth.exchange import Exchange
from auth.hashing import Hashing
from auth.invitations import Invitations
from auth.login import LogIn
from auth.opening import Challenged, Opened, Opening
from auth.password_proof import PasswordProof
from auth.posting import Post
from auth.proving import Proving
from auth.renewal import Renewal
from auth.service_tokens import ServiceTokens
from auth.servicers.opened import (
    BEARER,
    challenge_to_proto,
    choice_to_proto,
    credentials_to_proto,
    next_step,
    organization_to_proto,
    seen_by,
)
from auth.servicers.questions import Questions
from auth.servicers.times import timestamp
from auth.signing import Signer
from auth.storage.store import Store
from core import identity
from core.identity import Caller, Kind
from core.ids import id_from, name_of
from medhub.auth.v1 import auth_pb2, factor_pb2
from medhub.auth.v1 import auth_service_pb2 as wire


class Authentication:
    """The AuthService of the contract."""

    def __init__(
        self,
        store: Store,
        hashing: Hashing,
        signer: Signer,
        proving: Proving,
        proof: PasswordProof,
    ) -> None:
        self._store = store
        self._questions = Questions(store)
        self._hashing = hashing
        self._signer = signer
        self._proving = proving
        self._log_in = LogIn(store, proof, Opening(store, signer))
        self._renewal = Renewal(store, signer, Post(signer.keyring))
        self._exchange = Exchange(store, signer, proving)
        self._service_tokens = ServiceTokens(store, signer)
        self._invitations = Invitations(store)

    async def Login(self, request: wire.LoginRequest) -> wire.LoginResponse:
        """Open a session."""
        wanted = request.organization and id_from(
            request.organization, "organizations", field="organization"
        )
        return logged_in(await self._log_in(request.email, request.password, wanted or None))

    async def RefreshToken(self, request: wire.RefreshTokenRequest) -> wire.RefreshTokenResponse:
        """Spend a refresh token."""
        issued = await self._renewal.refresh(request.refresh_token, request.request_id)
        return wire.RefreshTokenResponse(
            access_token=issued.access_token,
            token_type=BEARER,
            expire_time=timestamp(issued.expires_at),
            refresh_token=issued.refresh_token,
            refresh_expire_time=timestamp(issued.refresh_expires_at),
        )

    async def Logout(self, request: wire.LogoutRequest) -> wire.LogoutResponse:
        """End the session of the token. A service account's token has none."""
        caller = identity.caller()
        async with self._store.begin() as tx:
            revision = await end_one(tx, _subject(caller), caller.session)
        return wire.LogoutResponse(auth_revision=revision)

    async def ValidateToken(self, request: wire.ValidateTokenRequest) -> wire.ValidateTokenResponse:
        """Say whom a token stands for."""
        proven = await self._proving.prove(request.token)
        claims = proven.claims
        if claims.actor is not None:
            # It opens less than its subject's roles do, at one server of the platform alone.
            raise TokenInvalid
        return wire.ValidateTokenResponse(
            user_id=str(claims.subject),
            organization_id=str(claims.organization or ""),
            session_id=str(claims.session or ""),
            roles=sorted(proven.roles),
            expire_time=timestamp(claims.expires_at),
            assurance_level=claims.assurance,
            auth_revision=proven.revision,
        )

    async def Authorize(self, request: wire.AuthorizeRequest) -> wire.AuthorizeResponse:
        """Answer one question about the caller's rights."""
        asked = auth_pb2.AccessQuestion(
            resource=request.resource, action=request.action, patient=request.patient
        )
        [answer] = await self._questions.answers([asked], explain=request.explain)
        return wire.AuthorizeResponse(
            authorized=answer.authorized,
            permission=answer.permission,
            role=answer.role,
            auth_revision=answer.auth_revision,
            link=answer.link if answer.HasField("link") else None,
            explanation=answer.explanation if request.explain else None,
        )

    async def BatchAuthorize(
        self, request: wire.BatchAuthorizeRequest
    ) -> wire.BatchAuthorizeResponse:
        """Answer several, from one revision."""
        answers = await self._questions.answers(request.questions, explain=request.explain)
        return wire.BatchAuthorizeResponse(answers=answers)

    async def GetPermissions(
        self, request: wire.GetPermissionsRequest
    ) -> wire.GetPermissionsResponse:
        """Show everything that the caller may do."""
        return await self._questions.everything_held()

    async def ListMyOrganizations(
        self, request: wire.ListMyOrganizationsRequest
    ) -> wire.ListMyOrganizationsResponse:
        """Show where the caller belongs; a service account belongs nowhere but in its token."""
        caller = identity.caller()
        async with self._store.begin(read_only=True) as tx:
            choices = seen_by(caller, await tx.memberships.choices(_subject(caller)))
        return wire.ListMyOrganizationsResponse(
            organizations=[choice_to_proto(each) for each in choices]
        )

    async def SwitchOrganization(
        self, request: wire.SwitchOrganizationRequest
    ) -> wire.SwitchOrganizationResponse:
        """Move the caller's session."""
        caller = identity.caller()
        organization = id_from(request.organization, "organizations", field="organization")
        if caller.session is None:
            raise NotAMember
        issued = await self._renewal.switch(caller.session, _subject(caller), organization)
        return wire.SwitchOrganizationResponse(credentials=credentials_to_proto(issued))

    async def ActivateAccount(
        self, request: wire.ActivateAccountRequest
    ) -> wire.ActivateAccountResponse:
        """Accept an invitation with a new account and its first password."""
        check_new_password(request.password)
        invitation = await self._invitations.find(request.activation_token)
        context = await self._invitations.context(invitation)
        password_hash = await self._hashing.hash(request.password, context)
        user = await self._invitations.activate(invitation, password_hash)
        return wire.ActivateAccountResponse(user=name_of("users", user))

    async def AcceptMembership(
        self, request: wire.AcceptMembershipRequest
    ) -> wire.AcceptMembershipResponse:
        """Accept an invitation with the caller's account; a program has no address."""
        caller = identity.caller()
        invitation = await self._invitations.find(request.activation_token)
        # An organization's provider does not take a person into another.
        if caller.kind is not Kind.USER or caller.federated:
            raise ActivationRefused
        choice = await self._invitations.accept(invitation, _subject(caller), caller.session)
        return wire.AcceptMembershipResponse(organization=choice_to_proto(choice))

    async def IssueServiceToken(
        self, request: wire.IssueServiceTokenRequest
    ) -> wire.IssueServiceTokenResponse:
        """Exchange a signed assertion for a token."""
        token, expires_at = await self._service_tokens.issue(request.assertion)
        return wire.IssueServiceTokenResponse(
            access_token=token, token_type=BEARER, expire_time=timestamp(expires_at)
        )

    async def ExchangeToken(self, request: wire.ExchangeTokenRequest) -> wire.ExchangeTokenResponse:
        """Let a server of the platform act for one of its callers."""
        token, expires_at = await self._exchange(
            request.subject_token, _subject(identity.caller()), request.audience
        )
        return wire.ExchangeTokenResponse(
            access_token=token, token_type=BEARER, expire_time=timestamp(expires_at)
        )


def logged_in(made: Opened) -> wire.LoginResponse:
    """A new session, or what has to be proven besides."""
    if isinstance(made, Challenged):
        return wire.LoginResponse(
            next_step=factor_pb2.NEXT_STEP_VERIFY_CHALLENGE, challenge=challenge_to_proto(made)
        )
    return wire.LoginResponse(
        access_token=made.tokens.access_token,
        token_type=BEARER,
        expire_time=timestamp(made.tokens.expires_at),
        refresh_token=made.tokens.refresh_token,
        refresh_expire_time=timestamp(made.tokens.refresh_expires_at),
        session=name_of("sessions", made.tokens.session),
        user=name_of("users", made.user),
        organization=organization_to_proto(made.organization),
        organizations=[choice_to_proto(choice) for choice in made.choices],
        next_step=next_step(made),
    )


def _subject(caller: Caller) -> UUID:
    if caller.subject is None:
        raise LookupError("a caller of a method that is not public has been proven")
    return caller.subject
