"""Mail and text messages over real sockets, to a real SMTP server and a real HTTP server."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP as RULES
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from threading import Thread
from typing import Any, cast

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from auth.delivery import Fault, Undelivered
from auth.domain.wording import Text
from auth.mail import Security, SmtpMail
from auth.text_messages import HttpSms

HOST = "127.0.0.1"
SENDER = Address("Portail santé", addr_spec="noreply@portal.test")
TEXT = Text("Votre code", "Votre code est 314159.\n.\nà bientôt")


class _Mailbox:
    """What the server's handler is told; `answer` is what it says to each message."""

    def __init__(self, answer: str = "250 OK") -> None:
        self.answer = answer
        self.messages: list[EmailMessage] = []
        self.over_tls: list[bool] = []

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        self.over_tls.append(session.ssl is not None)
        parsed = BytesParser(policy=RULES).parsebytes(cast("bytes", envelope.content))
        self.messages.append(parsed)
        return self.answer


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A file of a fresh certificate of this machine, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail of tests")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(HOST))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "mail.pem"
    path.write_bytes(
        signed.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def _server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@asynccontextmanager
async def _listening(
    make: Callable[[], SMTP], tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    server = await asyncio.get_running_loop().create_server(make, HOST, 0, ssl=tls)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await server.wait_closed()


def _mail(port: int, security: Security, certificate: Path | None = None, **more: str) -> SmtpMail:
    return SmtpMail(HOST, port, security=security, sender=SENDER, authorities=certificate, **more)


def _login(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
    return AuthResult(success=(given.login, given.password) == (b"medhub", b"relay"))


async def test_mail_goes_over_starttls_with_a_log_in(certificate: Path) -> None:
    """The whole message arrives as it was written, encrypted, from who is proven."""
    box, context = _Mailbox(), _server_context(certificate)

    def make() -> SMTP:
        return SMTP(
            box, hostname="mail.test", tls_context=context, require_starttls=True,
            auth_required=True, authenticator=_login,
        )  # fmt: skip

    async with _listening(make) as port:
        mail = _mail(port, "starttls", certificate, username="medhub", password="relay")
        await mail.deliver("ana@clinic.test", TEXT)

    [message] = box.messages
    assert box.over_tls == [True]
    assert (message["From"], message["To"]) == (
        "Portail santé <noreply@portal.test>",
        "ana@clinic.test",
    )
    assert message["Subject"] == "Votre code"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().split() == TEXT.body.split()


async def test_mail_goes_over_tls_from_the_first_byte(certificate: Path) -> None:
    """As at port 465."""
    box = _Mailbox()

    async with _listening(
        lambda: SMTP(box, hostname="mail.test"), _server_context(certificate)
    ) as port:
        await _mail(port, "tls", certificate).deliver("ana@clinic.test", TEXT)

    assert len(box.messages) == 1


async def test_a_server_that_nothing_proves_gets_nothing(certificate: Path) -> None:
    """Whoever answers in its place learns no code."""
    box = _Mailbox()

    async with _listening(
        lambda: SMTP(box, hostname="mail.test", tls_context=_server_context(certificate))
    ) as port:
        with pytest.raises(Undelivered) as refused:
            await _mail(port, "starttls").deliver("ana@clinic.test", TEXT)

    assert (refused.value.fault, refused.value.for_good) == (Fault.UNREACHABLE, False)
    assert box.messages == []


async def test_a_server_without_encryption_gets_nothing() -> None:
    """STARTTLS that somebody has cut out of the answer is not done without."""
    box = _Mailbox()

    async with _listening(lambda: SMTP(box, hostname="mail.test")) as port:
        with pytest.raises(Undelivered):
            await _mail(port, "starttls").deliver("ana@clinic.test", TEXT)

    assert box.messages == []


@pytest.mark.parametrize(
    ("answer", "fault", "for_good"),
    [("451 later", Fault.PUT_OFF, False), ("554 never", Fault.REFUSED, True)],
)
async def test_what_the_server_says_decides(answer: str, fault: Fault, for_good: bool) -> None:
    """A greylist is waited out, a refusal is not insisted on."""
    async with _listening(lambda: SMTP(_Mailbox(answer), hostname="mail.test")) as port:
        with pytest.raises(Undelivered) as refused:
            await _mail(port, "none").deliver("ana@clinic.test", TEXT)

    assert (refused.value.fault, refused.value.for_good) == (fault, for_good)


async def test_a_server_that_is_away_is_tried_again() -> None:
    """Nobody listens there."""
    async with _listening(lambda: SMTP(_Mailbox())) as port:
        pass

    with pytest.raises(Undelivered) as refused:
        await _mail(port, "none").deliver("ana@clinic.test", TEXT)

    assert (refused.value.fault, refused.value.for_good) == (Fault.UNREACHABLE, False)


class _Desk(BaseHTTPRequestHandler):
    """Takes one request and keeps it."""

    server: "_Provider"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.taken.append((self.headers["authorization"], body))
        self.send_response(self.server.status)
        self.send_header("location", "/elsewhere")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Tests print nothing."""


class _Provider(ThreadingHTTPServer):
    """A provider of text messages that answers with one status."""

    def __init__(self, status: int) -> None:
        super().__init__((HOST, 0), _Desk)
        self.status = status
        self.taken: list[tuple[str, bytes]] = []


@contextmanager
def _providing(status: int = 202) -> Iterator[_Provider]:
    with _Provider(status) as provider:
        thread = Thread(target=provider.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield provider
        finally:
            provider.shutdown()
            thread.join()


async def _send(
    provider: _Provider, body: str = '{"recipients": ["{to}"], "text": "M: {text}"}'
) -> None:
    sms = HttpSms(f"http://{HOST}:{provider.server_port}/send", body, secret="s3cret")
    try:
        await sms.deliver("+33612345678", Text("", 'a "quoted" {to} text'))
    finally:
        await sms.close()


async def test_a_text_message_is_one_post_with_the_secret() -> None:
    """No text changes the form of the body, whatever is in it."""
    with _providing() as provider:
        await _send(provider)

    assert provider.taken == [
        (
            "Bearer s3cret",
            b'{"recipients":["+33612345678"],"text":"M: a \\"quoted\\" {to} text"}',
        )
    ]


@pytest.mark.parametrize(
    ("status", "fault", "for_good"),
    [
        (429, Fault.PUT_OFF, False),
        (503, Fault.PUT_OFF, False),
        (401, Fault.REFUSED, False),
        (400, Fault.REFUSED, True),
        (307, Fault.PUT_OFF, False),
    ],
)
async def test_the_status_decides(status: int, fault: Fault, for_good: bool) -> None:
    """What may pass is tried again; a redirection is not followed with the secret."""
    with _providing(status) as provider, pytest.raises(Undelivered) as refused:
        await _send(provider)

    assert (refused.value.fault, refused.value.for_good) == (fault, for_good)
    assert len(provider.taken) == 1
