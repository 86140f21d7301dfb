"""Requests of persons about their own data."""

from collections.abc import Callable

from compliance.servicers.access_requests import AccessRequests
from compliance.servicers.erasure_requests import ErasureRequests
from compliance.servicers.restrictions import Restrictions
from compliance.storage.store import Store
from core.database.pages import PageTokens


class DataSubjectRequests:
    """medhub.compliance.v1.DataSubjectRequestService: each kind of request has its own servicer."""

    def __init__(self, store: Store, pages: PageTokens, entered: Callable[[], None]) -> None:
        """`entered` is told of each request that there is work on, so that it begins at once."""
        access = AccessRequests(store, pages, entered)
        self.CreateAccessRequest = access.CreateAccessRequest
        self.GetAccessRequest = access.GetAccessRequest
        self.ListAccessRequests = access.ListAccessRequests
        self.GetAccessPackage = access.GetAccessPackage
        erasure = ErasureRequests(store, pages, entered)
        self.CreateErasureRequest = erasure.CreateErasureRequest
        self.GetErasureRequest = erasure.GetErasureRequest
        self.ListErasureRequests = erasure.ListErasureRequests
        self.ConfirmErasureRequest = erasure.ConfirmErasureRequest
        restriction = Restrictions(store, pages, entered)
        self.CreateRestriction = restriction.CreateRestriction
        self.GetRestriction = restriction.GetRestriction
        self.ListRestrictions = restriction.ListRestrictions
        self.LiftRestriction = restriction.LiftRestriction
