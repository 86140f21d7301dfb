"""Mail by SMTP (RFC 5321), encrypted on its way unless it stays on this machine."""

import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Literal

import aiosmtplib

from auth.delivery import PATIENCE_SECONDS, Fault, Undelivered
from auth.domain.wording import Text
from core import clock

Security = Literal["starttls", "tls", "none"]

_REFUSED_FROM = 500  # codes from here on are refusals for good (RFC 5321, 4.2.1)


class SmtpMail:
    """A mail server that takes messages from us."""

    keeps = False

    def __init__(
        self,
        host: str,
        port: int,
        *,
        security: Security,
        sender: Address,
        username: str = "",
        password: str = "",
        authorities: Path | None = None,
    ) -> None:
        """`authorities` is a file of those that the server's certificate is proven by.

        Raises OSError or ssl.SSLError where the file cannot be read.
        """
        self._host = host
        self._port = port
        self._security = security
        self._sender = sender
        self._login = (username, password)
        self._context = ssl.create_default_context(cafile=authorities)

    async def deliver(self, to: str, text: Text) -> None:
        """Hand a message to the server. Raises Undelivered."""
        client = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            use_tls=self._security == "tls",
            # True: a server that offers no encryption is not spoken to.
            start_tls=self._security == "starttls",
            tls_context=self._context,
            timeout=PATIENCE_SECONDS,
        )
        try:
            async with client:
                if self._login[0]:
                    await client.login(*self._login)
                await client.send_message(self._written(to, text))
        except aiosmtplib.SMTPRecipientsRefused as refusal:
            codes = [each.code for each in refusal.recipients]
            raise _answered(min(codes, default=0)) from None
        except aiosmtplib.SMTPAuthenticationError:
            # The operator can mend it, so the message waits.
            raise Undelivered(Fault.REFUSED) from None
        except aiosmtplib.SMTPResponseException as refusal:
            raise _answered(refusal.code) from None
        except (aiosmtplib.SMTPException, OSError):
            raise Undelivered(Fault.UNREACHABLE) from None
        except ValueError:
            # A recipient that no header can hold.
            raise Undelivered(Fault.REFUSED, for_good=True) from None

    def _written(self, to: str, text: Text) -> EmailMessage:
        """Raises ValueError for an address that is none."""
        made = EmailMessage(policy=SMTP)
        made["From"] = self._sender
        made["To"] = Address(addr_spec=to)
        made["Subject"] = text.subject
        made["Date"] = format_datetime(clock.now())
        made["Message-ID"] = make_msgid(domain=self._sender.domain)
        # Nobody's absence is to be told to us (RFC 3834).
        made["Auto-Submitted"] = "auto-generated"
        made.set_content(text.body)
        return made


def _answered(code: int) -> Undelivered:
    for_good = code >= _REFUSED_FROM
    return Undelivered(Fault.REFUSED if for_good else Fault.PUT_OFF, for_good=for_good)
