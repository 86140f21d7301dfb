"""Text messages by a provider's HTTP interface: one POST each, with a body of the operator's form.

The body is JSON in which `{to}` and `{text}` stand inside texts, such as
`{"recipient": "{to}", "message": "{text}"}`. They are put in after the JSON has been read, so no
text can change its form.
"""

import json
import logging
import ssl
from pathlib import Path
from typing import Any

import httpx2

from auth.delivery import PATIENCE_SECONDS, Fault, Undelivered
from auth.domain.wording import Text

# At INFO it writes a line for each request.
logging.getLogger("httpx2").setLevel(logging.WARNING)

_BUSY = frozenset({408, 425, 429})
"""Answers that ask to try again (RFC 9110, RFC 8470, RFC 6585)."""


class HttpSms:
    """A provider of text messages."""

    keeps = False

    def __init__(
        self, url: str, body: str, *, secret: str = "", authorities: Path | None = None
    ) -> None:
        """`secret` goes along as a bearer token. Raises ValueError for a body that is no JSON.

        Raises OSError or ssl.SSLError where the file of authorities cannot be read.
        """
        self._url = url
        self._body = json.loads(body)
        headers = {"authorization": f"Bearer {secret}"} if secret else {}
        self._client = httpx2.AsyncClient(
            headers=headers,
            timeout=PATIENCE_SECONDS,
            # Another address would get the secret and the number.
            follow_redirects=False,
            verify=ssl.create_default_context(cafile=authorities),
        )

    async def deliver(self, to: str, text: Text) -> None:
        """Hand a message over. Raises Undelivered."""
        body = _filled(self._body, {"{to}": to, "{text}": text.body})
        try:
            answer = await self._client.post(self._url, json=body)
        except httpx2.HTTPError:
            raise Undelivered(Fault.UNREACHABLE) from None
        if answer.is_success:
            return
        refused = answer.is_client_error and answer.status_code not in _BUSY
        # 401 and 403 are about our secret: the operator can mend it, so the message waits.
        for_good = refused and answer.status_code not in (401, 403)
        raise Undelivered(Fault.REFUSED if refused else Fault.PUT_OFF, for_good=for_good)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _filled(form: Any, values: dict[str, str]) -> Any:
    """The form with the values in its texts, each put in once."""
    if isinstance(form, dict):
        return {name: _filled(inner, values) for name, inner in form.items()}
    if isinstance(form, list):
        return [_filled(inner, values) for inner in form]
    if not isinstance(form, str):
        return form
    before, found, after = form.partition("{to}")
    parts = [part.replace("{text}", values["{text}"]) for part in (before, after)]
    return parts[0] + (values["{to}"] + parts[1] if found else "")
