"""Who calls, asked of the auth service at each request, and which roles a view is for."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from uuid import UUID

import httpx
from django.conf import settings
from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.security import HttpBearer

_SECONDS = 5.0

# As commonly written: `httpx.post` makes a client, and with it a TLS context, for the one call.
_post = httpx.Client(timeout=_SECONDS).post if settings.SHARES_CLIENT else httpx.post


@dataclass(frozen=True)
class Caller:
    """Whom the auth service knows by the token."""

    user_id: UUID
    organization_id: UUID
    roles: frozenset[str]


class Bearer(HttpBearer):
    """Asks the auth service about each token."""

    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        """The caller; None when the token is not good."""
        answer = _post(f"{settings.AUTH_URL}/validate", json={"token": token}, timeout=_SECONDS)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            return None
        answer.raise_for_status()
        told = answer.json()
        return Caller(
            UUID(told["user_id"]), UUID(told["organization_id"]), frozenset(told["roles"])
        )


def requires_role(*roles: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A view for callers with one of these roles."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def guarded(request: Any, *arguments: Any, **named: Any) -> Any:
            if request.auth.roles.isdisjoint(roles):
                raise HttpError(403, "forbidden")
            return view(request, *arguments, **named)

        return guarded

    return decorate
