"""FederatedLoginService: sign-in with an organization's own identity provider."""

from uuid import UUID

from auth.domain.federation import COLLECTION
from auth.domain.refusals import FederationRefused
from auth.federation import Federation, Returned
from auth.servicers.auth import logged_in
from auth.servicers.times import timestamp
from core import identity
from core.identity import Caller, Kind
from core.ids import id_from, name_of
from medhub.auth.v1 import federated_login_service_pb2 as wire


class FederatedLogins:
    """The FederatedLoginService of the contract."""

    def __init__(self, federation: Federation) -> None:
        self._federation = federation

    async def BeginFederatedLogin(
        self, request: wire.BeginFederatedLoginRequest
    ) -> wire.BeginFederatedLoginResponse:
        """Say where the browser goes."""
        key = id_from(request.identity_provider, COLLECTION, field="identity_provider")
        begun = await self._federation.begin(key, request.redirect_uri, fresh=request.fresh)
        return wire.BeginFederatedLoginResponse(
            authorization_url=begun.page,
            login_token=begun.keeper,
            expire_time=timestamp(begun.expires_at),
        )

    async def FinishFederatedLogin(
        self, request: wire.FinishFederatedLoginRequest
    ) -> wire.FinishFederatedLoginResponse:
        """Open a session."""
        opened = await self._federation.finish(_returned(request))
        return wire.FinishFederatedLoginResponse(login=logged_in(opened))

    async def BeginIdentityLink(
        self, request: wire.BeginIdentityLinkRequest
    ) -> wire.BeginIdentityLinkResponse:
        """Say where the browser goes."""
        caller = identity.caller()
        key = id_from(request.identity_provider, COLLECTION, field="identity_provider")
        begun = await self._federation.begin(
            key, request.redirect_uri, _person(caller), caller.organization
        )
        return wire.BeginIdentityLinkResponse(
            authorization_url=begun.page,
            login_token=begun.keeper,
            expire_time=timestamp(begun.expires_at),
        )

    async def FinishIdentityLink(
        self, request: wire.FinishIdentityLinkRequest
    ) -> wire.FinishIdentityLinkResponse:
        """Tie the caller's account."""
        caller = identity.caller()
        provider = await self._federation.tie(
            _returned(request), _person(caller), caller.organization
        )
        return wire.FinishIdentityLinkResponse(identity_provider=name_of(COLLECTION, provider))


def _returned(
    request: wire.FinishFederatedLoginRequest | wire.FinishIdentityLinkRequest,
) -> Returned:
    return Returned(request.code, request.state, request.issuer, request.login_token)


def _person(caller: Caller) -> UUID:
    """Who calls; a program is nobody at a provider. Raises FederationRefused."""
    if caller.kind is not Kind.USER or caller.subject is None:
        raise FederationRefused
    return caller.subject
