"""FactorService: one's own second factors, and how they prove their owner."""

from uuid import UUID

from auth.answering import Answer, Answering
from auth.domain import totp
from auth.domain.factors import LEVELS, RESTRICTED, Factor, Kind
from auth.domain.refusals import FactorRequired
from auth.enrolment import Added, Enrolment
from auth.factor_resets import FactorResets
from auth.formats.qr import svg_of
from auth.opening import Challenged, LoggedIn
from auth.passkey_login import PasskeyLogIn
from auth.reauthentication import Reauthentication
from auth.servicers.opened import challenge_to_proto, kind_to_proto, opened_to_proto
from auth.servicers.times import timestamp
from auth.storage.store import Store
from core import identity
from core.identity import Kind as Principal
from core.ids import id_from, name_of
from medhub.auth.v1 import factor_pb2
from medhub.auth.v1 import factor_service_pb2 as wire


class Factors:
    """The FactorService of the contract."""

    def __init__(
        self,
        store: Store,
        enrolment: Enrolment,
        answering: Answering,
        passkey_login: PasskeyLogIn,
        reauthentication: Reauthentication,
        resets: FactorResets,
    ) -> None:
        self._store = store
        self._enrolment = enrolment
        self._answering = answering
        self._passkey_login = passkey_login
        self._reauthentication = reauthentication
        self._resets = resets

    async def ListFactors(self, request: wire.ListFactorsRequest) -> wire.ListFactorsResponse:
        """Show the caller's factors; a program has none."""
        caller = identity.caller()
        async with self._store.begin(read_only=True) as tx:
            found = await tx.factors.of(caller.subject) if caller.subject else []
        return wire.ListFactorsResponse(factors=[factor_to_proto(each) for each in found])

    async def BeginTotpEnrolment(
        self, request: wire.BeginTotpEnrolmentRequest
    ) -> wire.BeginTotpEnrolmentResponse:
        """Give the seed of an app."""
        begun = await self._enrolment.begin(Kind.TOTP, request.display_name)
        uri = totp.provisioning_uri(begun.shared, begun.account)
        return wire.BeginTotpEnrolmentResponse(
            enrolment=begun.token,
            expire_time=timestamp(begun.expires_at),
            secret=totp.seed_text(begun.shared),
            provisioning_uri=uri,
            qr_svg=svg_of(uri),
        )

    async def ConfirmTotpEnrolment(
        self, request: wire.ConfirmTotpEnrolmentRequest
    ) -> wire.ConfirmTotpEnrolmentResponse:
        """Add the app."""
        added = await self._confirm(Kind.TOTP, request)
        return wire.ConfirmTotpEnrolmentResponse(
            factor=factor_to_proto(added.factor), other_sessions=added.other_sessions
        )

    async def BeginPasskeyRegistration(
        self, request: wire.BeginPasskeyRegistrationRequest
    ) -> wire.BeginPasskeyRegistrationResponse:
        """Give a browser what it needs to make a passkey."""
        begun = await self._enrolment.begin(Kind.PASSKEY, request.display_name)
        return wire.BeginPasskeyRegistrationResponse(
            enrolment=begun.token,
            expire_time=timestamp(begun.expires_at),
            options_json=begun.options_json,
        )

    async def FinishPasskeyRegistration(
        self, request: wire.FinishPasskeyRegistrationRequest
    ) -> wire.FinishPasskeyRegistrationResponse:
        """Add the passkey."""
        added = await self._enrolment.confirm(
            Kind.PASSKEY,
            request.enrolment,
            request.credential_json,
            end_other_sessions=request.end_other_sessions,
        )
        return wire.FinishPasskeyRegistrationResponse(
            factor=factor_to_proto(added.factor), other_sessions=added.other_sessions
        )

    async def BeginSmsEnrolment(
        self, request: wire.BeginSmsEnrolmentRequest
    ) -> wire.BeginSmsEnrolmentResponse:
        """Send a code to a number."""
        begun = await self._enrolment.begin(Kind.SMS, request.display_name, request.phone_number)
        return wire.BeginSmsEnrolmentResponse(
            enrolment=begun.token, expire_time=timestamp(begun.expires_at)
        )

    async def ConfirmSmsEnrolment(
        self, request: wire.ConfirmSmsEnrolmentRequest
    ) -> wire.ConfirmSmsEnrolmentResponse:
        """Add the number."""
        added = await self._confirm(Kind.SMS, request)
        return wire.ConfirmSmsEnrolmentResponse(
            factor=factor_to_proto(added.factor), other_sessions=added.other_sessions
        )

    async def BeginEmailCodeEnrolment(
        self, request: wire.BeginEmailCodeEnrolmentRequest
    ) -> wire.BeginEmailCodeEnrolmentResponse:
        """Send a code to the account's address."""
        begun = await self._enrolment.begin(Kind.EMAIL_CODE, request.display_name)
        return wire.BeginEmailCodeEnrolmentResponse(
            enrolment=begun.token, expire_time=timestamp(begun.expires_at)
        )

    async def ConfirmEmailCodeEnrolment(
        self, request: wire.ConfirmEmailCodeEnrolmentRequest
    ) -> wire.ConfirmEmailCodeEnrolmentResponse:
        """Add codes by e-mail."""
        added = await self._confirm(Kind.EMAIL_CODE, request)
        return wire.ConfirmEmailCodeEnrolmentResponse(
            factor=factor_to_proto(added.factor), other_sessions=added.other_sessions
        )

    async def RegenerateBackupCodes(
        self, request: wire.RegenerateBackupCodesRequest
    ) -> wire.RegenerateBackupCodesResponse:
        """Make a set of backup codes."""
        codes, factor = await self._enrolment.backup_codes()
        return wire.RegenerateBackupCodesResponse(codes=codes, factor=factor_to_proto(factor))

    async def RenameFactor(self, request: wire.RenameFactorRequest) -> wire.RenameFactorResponse:
        """Call a factor otherwise."""
        renamed = await self._enrolment.rename(
            id_from(request.name, "factors"), request.display_name
        )
        return wire.RenameFactorResponse(factor=factor_to_proto(renamed))

    async def RemoveFactor(self, request: wire.RemoveFactorRequest) -> wire.RemoveFactorResponse:
        """Remove a factor."""
        others = await self._enrolment.remove(
            id_from(request.name, "factors"), end_other_sessions=request.end_other_sessions
        )
        return wire.RemoveFactorResponse(other_sessions=others)

    async def ResetMemberFactors(
        self, request: wire.ResetMemberFactorsRequest
    ) -> wire.ResetMemberFactorsResponse:
        """Take all factors from a member who has lost them."""
        removed, revision = await self._resets(id_from(request.name, "memberships"))
        return wire.ResetMemberFactorsResponse(removed=removed, auth_revision=revision)

    async def Reauthenticate(
        self, request: wire.ReauthenticateRequest
    ) -> wire.ReauthenticateResponse:
        """Prove the caller again; a program proves itself by each assertion."""
        caller = identity.caller()
        if caller.kind is not Principal.USER or caller.subject is None or caller.session is None:
            raise FactorRequired
        made = await self._reauthentication(
            caller.subject, caller.session, caller.organization, request.password
        )
        if isinstance(made, Challenged):
            return wire.ReauthenticateResponse(challenge=challenge_to_proto(made))
        return wire.ReauthenticateResponse(session=opened_to_proto(made))

    async def BeginChallenge(
        self, request: wire.BeginChallengeRequest
    ) -> wire.BeginChallengeResponse:
        """Send a code, or give a browser what it needs."""
        begun = await self._answering.begin(request.challenge, _factor(request.factor))
        return wire.BeginChallengeResponse(
            code_sent=begun.code_sent, options_json=begun.options_json
        )

    async def VerifyChallenge(
        self, request: wire.VerifyChallengeRequest
    ) -> wire.VerifyChallengeResponse:
        """Take an answer."""
        answer = Answer(request.code, request.credential_json)
        made = await self._answering.verify(request.challenge, _factor(request.factor), answer)
        return wire.VerifyChallengeResponse(session=opened_to_proto(made))

    async def BeginPasskeyLogin(
        self, request: wire.BeginPasskeyLoginRequest
    ) -> wire.BeginPasskeyLoginResponse:
        """Give a browser what it needs."""
        token, expires_at, options = await self._passkey_login.begin()
        return wire.BeginPasskeyLoginResponse(
            challenge=token, expire_time=timestamp(expires_at), options_json=options
        )

    async def FinishPasskeyLogin(
        self, request: wire.FinishPasskeyLoginRequest
    ) -> wire.FinishPasskeyLoginResponse:
        """Open the session of whom the passkey names."""
        wanted = request.organization and id_from(
            request.organization, "organizations", field="organization"
        )
        made: LoggedIn = await self._passkey_login.finish(
            request.challenge, request.credential_json, wanted or None
        )
        return wire.FinishPasskeyLoginResponse(session=opened_to_proto(made))

    async def _confirm(
        self,
        kind: Kind,
        request: wire.ConfirmTotpEnrolmentRequest
        | wire.ConfirmSmsEnrolmentRequest
        | wire.ConfirmEmailCodeEnrolmentRequest,
    ) -> Added:
        return await self._enrolment.confirm(
            kind, request.enrolment, request.code, end_other_sessions=request.end_other_sessions
        )


def _factor(name: str) -> UUID:
    return id_from(name, "factors", field="factor")


def factor_to_proto(factor: Factor) -> factor_pb2.Factor:
    """As its owner sees it."""
    return factor_pb2.Factor(
        name=name_of("factors", factor.id),
        kind=kind_to_proto(factor.kind),
        display_name=factor.display_name,
        create_time=timestamp(factor.created_at),
        last_use_time=timestamp(factor.used_at),
        assurance_level=LEVELS[factor.kind],
        restricted=factor.kind in RESTRICTED,
        codes_left=factor.codes_left,
    )
