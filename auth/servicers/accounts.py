"""AccountService: people's own accounts."""

from auth.domain.names import check_name
from auth.own_account import OwnAccount
from auth.recovery import Recovery
from auth.registration import Registration
from auth.servicers.account_messages import (
    account_to_proto,
    activity_to_proto,
    changes_from_proto,
)
from auth.servicers.factors import factor_to_proto
from auth.servicers.opened import choice_to_proto, seen_by
from auth.servicers.sessions import session_to_proto, vouched_within
from auth.servicers.times import moment_from
from auth.storage.store import Store
from core import clock, identity
from core.database.pages import DEFAULT_SIZE, Listing, PageTokens, page_of, page_size
from core.ids import id_from, name_of
from medhub.auth.v1 import account_pb2
from medhub.auth.v1 import account_service_pb2 as wire

_METHOD = "medhub.auth.v1.AccountService/ListAccountActivity"
LATEST_ACTIVITIES = 20
"""Of the dashboard; the rest is a list of its own."""


class Accounts:
    """The AccountService of the contract."""

    def __init__(
        self,
        store: Store,
        pages: PageTokens,
        registration: Registration,
        recovery: Recovery,
        own: OwnAccount,
    ) -> None:
        self._store = store
        self._pages = pages
        self._registration = registration
        self._recovery = recovery
        self._own = own

    async def RegisterAccount(
        self, request: wire.RegisterAccountRequest
    ) -> wire.RegisterAccountResponse:
        """Write to who registers."""
        check_name(request.display_name, field="display_name")
        organization = id_from(request.organization, "organizations", field="organization")
        await self._registration.register(
            organization, request.email, request.display_name, request.language
        )
        return wire.RegisterAccountResponse()

    async def VerifyEmail(self, request: wire.VerifyEmailRequest) -> wire.VerifyEmailResponse:
        """Take the token of a message."""
        user = await self._registration.verify(request.token, request.password)
        return wire.VerifyEmailResponse(user=name_of("users", user))

    async def ResendVerification(
        self, request: wire.ResendVerificationRequest
    ) -> wire.ResendVerificationResponse:
        """Write again."""
        await self._registration.resend(request.email)
        return wire.ResendVerificationResponse()

    async def GetAccount(self, request: wire.GetAccountRequest) -> account_pb2.Account:
        """Show the caller's."""
        async with self._store.begin(read_only=True) as tx:
            return account_to_proto(await self._own.get(tx))

    async def UpdateAccount(self, request: wire.UpdateAccountRequest) -> account_pb2.Account:
        """Change the caller's."""
        changes = changes_from_proto(request.account, request.update_mask)
        return account_to_proto(await self._own.update(request.account.etag, changes))

    async def ChangeEmail(self, request: wire.ChangeEmailRequest) -> wire.ChangeEmailResponse:
        """Ask for another address."""
        await self._own.change_email(request.current_password, request.new_email)
        return wire.ChangeEmailResponse()

    async def ChangePassword(
        self, request: wire.ChangePasswordRequest
    ) -> wire.ChangePasswordResponse:
        """Set another password."""
        revision = await self._own.change_password(
            request.current_password,
            request.new_password,
            end_others=request.end_other_sessions,
        )
        return wire.ChangePasswordResponse(auth_revision=revision)

    async def RequestPasswordReset(
        self, request: wire.RequestPasswordResetRequest
    ) -> wire.RequestPasswordResetResponse:
        """Write to who has forgotten it."""
        await self._recovery.request(request.email)
        return wire.RequestPasswordResetResponse()

    async def ResetPassword(self, request: wire.ResetPasswordRequest) -> wire.ResetPasswordResponse:
        """Set a password by the token of a message."""
        revision = await self._recovery.reset(request.token, request.new_password)
        return wire.ResetPasswordResponse(auth_revision=revision)

    async def DeactivateAccount(
        self, request: wire.DeactivateAccountRequest
    ) -> wire.DeactivateAccountResponse:
        """Shut the caller's."""
        revision = await self._own.deactivate(request.current_password)
        return wire.DeactivateAccountResponse(auth_revision=revision)

    async def DeleteAccount(self, request: wire.DeleteAccountRequest) -> wire.DeleteAccountResponse:
        """Remove the caller's."""
        revision = await self._own.delete(request.current_password)
        return wire.DeleteAccountResponse(auth_revision=revision)

    async def ListAccountActivity(
        self, request: wire.ListAccountActivityRequest
    ) -> wire.ListAccountActivityResponse:
        """Show a page."""
        size = page_size(request.page_size)
        start = request.start_time if request.HasField("start_time") else None
        end = request.end_time if request.HasField("end_time") else None
        shape = f"{request.act}\n{start}\n{end}"
        async with self._store.begin(read_only=True) as tx:
            account = await self._own.get(tx)
            listing = Listing(_METHOD, filter=f"{account.id}\n{shape}", order="id desc")
            rows = await tx.activities.page(
                account.id,
                self._pages.open(request.page_token, listing),
                size + 1,
                act=request.act,
                start=start and moment_from(start, field="start_time"),
                end=end and moment_from(end, field="end_time"),
            )
        page = page_of(rows, size, listing, self._pages, key=lambda row: (row.id,))
        return wire.ListAccountActivityResponse(
            activities=[activity_to_proto(each) for each in page.items],
            next_page_token=page.next_page_token,
        )

    async def GetAccountDashboard(
        self, request: wire.GetAccountDashboardRequest
    ) -> account_pb2.AccountDashboard:
        """Show the caller's account at a glance."""
        caller = identity.caller()
        async with self._store.begin(read_only=True) as tx:
            account = await self._own.get(tx)
            within = vouched_within(caller)
            sessions = await tx.sessions.page(account.id, (), DEFAULT_SIZE, clock.now(), within)
            choices = seen_by(caller, await tx.memberships.choices(account.id))
            activities = await tx.activities.page(account.id, (), LATEST_ACTIVITIES)
            factors = await tx.factors.of(account.id)
        return account_pb2.AccountDashboard(
            account=account_to_proto(account),
            sessions=[session_to_proto(each, caller.session) for each in sessions],
            organizations=[choice_to_proto(each) for each in choices],
            activities=[activity_to_proto(each) for each in activities],
            factors=[factor_to_proto(each) for each in factors],
        )
