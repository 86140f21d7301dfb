"""Both sides prove themselves, and a token that is bound to a certificate is good with it alone."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from pydantic import ValidationError

from core.crypto.certificates import Pem, TlsFiles
from tests.support.certificates import (
    Authority,
    channel_with,
    put,
    settings_of,
    thumbprint,
)
from tests.support.probe_server import Served, serving, settings_with, thing, told_by

ASK = "medhub.probe.v1.ProbeService/Ask"
DOWNLOAD = "medhub.probe.v1.ProbeService/Download"
EDGE = "spiffe://medhub/edge"


@dataclass
class Guarded:
    """A server that asks for certificates, one without, and who may make them."""

    served: Served
    plain: Served
    authority: Authority
    files: TlsFiles

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.served.server.port}"

    async def ask(self, pem: Pem, token: str, *metadata: tuple[str, str]) -> str:
        """The answer to who shows a certificate, or the reason of the refusal."""
        async with channel_with(self.target, pem) as channel:
            through = replace(self.served, channel=channel)
            try:
                await through.call(ASK, thing(), token, metadata=metadata)
            except grpc.aio.AioRpcError as error:
                return told_by(error).reason
        return "OK"

    def bound(self, pem: Pem) -> str:
        """A token of somebody who may, bound to the certificate."""
        return self.served.token("doctor", confirmation=thumbprint(pem))


async def _answer(_: Any) -> Any:
    return thing("answered")


async def _for_ever(_: Any) -> AsyncIterator[Any]:
    yield thing("begun")
    await asyncio.sleep(60)


@pytest.fixture
async def guarded(recorder: Any, tmp_path: Path) -> AsyncIterator[Guarded]:
    """Both servers, with one auth behind them."""
    authority = Authority()
    files = authority.files(tmp_path / "server", "spiffe://medhub/probe")
    async with AsyncExitStack() as parts:
        served = await parts.enter_async_context(serving(recorder, **settings_of(files)))
        plain = await parts.enter_async_context(serving(recorder, auth=served.auth))
        plain.ward = served.ward
        for each in (served, plain):
            each.servicer.ask, each.servicer.download = _answer, _for_ever
        yield Guarded(served, plain, authority, files)


async def test_a_stolen_token_is_of_no_use(guarded: Guarded) -> None:
    """With its own certificate it is good; with another's, with a new one of its owner, never."""
    mine, thiefs = (guarded.authority.pair(f"spiffe://medhub/{who}") for who in ("me", "thief"))
    again = guarded.authority.pair("spiffe://medhub/me")
    token = guarded.bound(mine)

    answers = [await guarded.ask(pem, token) for pem in (mine, thiefs, again, mine)]

    assert answers == ["OK", "UNAUTHENTICATED", "UNAUTHENTICATED", "OK"]


async def test_a_bound_token_is_refused_over_plain_text(guarded: Guarded) -> None:
    """Nobody shows a certificate there, also after the very token was good elsewhere."""
    mine = guarded.authority.pair("spiffe://medhub/me")
    token = guarded.bound(mine)
    assert await guarded.ask(mine, token) == "OK"

    told = await guarded.plain.refused(ASK, thing(), token)

    assert (told.code, told.reason) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")
    lie = (("x-forwarded-client-cert", f"Hash={_hex(mine)}"),)
    assert (
        await guarded.plain.refused(ASK, thing(), token, metadata=lie)
    ).reason == "UNAUTHENTICATED"


async def test_a_stream_is_opened_with_the_certificate_alone(guarded: Guarded) -> None:
    """Streams are let in like calls."""
    mine, thiefs = (guarded.authority.pair(f"spiffe://medhub/{who}") for who in ("me", "thief"))
    token = guarded.bound(mine)

    async with channel_with(guarded.target, mine) as channel:
        stream = replace(guarded.served, channel=channel).start(DOWNLOAD, thing(), token)
        first = await stream.read()
        stream.cancel()
    async with channel_with(guarded.target, thiefs) as channel:
        refused = replace(guarded.served, channel=channel).start(DOWNLOAD, thing(), token)
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await refused.read()

    assert first.text == "begun"
    assert told_by(refusal.value).reason == "UNAUTHENTICATED"


async def test_an_unbound_token_is_good_with_any_certificate(guarded: Guarded) -> None:
    """People's tokens are: their edge shows its own."""
    token = guarded.served.token("doctor")

    assert await guarded.ask(guarded.authority.pair("spiffe://medhub/any"), token) == "OK"


async def test_an_edge_alone_speaks_for_whoever_connects_to_it(guarded: Guarded) -> None:
    """What it says of a certificate is believed, of nobody else; its own stands for nobody."""
    mine, edge, other = (
        guarded.authority.pair(name) for name in ("spiffe://x/me", EDGE, "spiffe://medhub/edge2")
    )
    token, edges = guarded.bound(mine), guarded.bound(edge)
    said = ("x-forwarded-client-cert", f"By=spiffe://medhub/probe;Hash={_hex(mine)}")
    wrong = ("x-forwarded-client-cert", f"Hash={_hex(mine)},Hash={_hex(other)}")

    assert await guarded.ask(edge, token, said) == "OK"
    for pem, shown, told in (
        (edge, token, ()),
        (edge, token, (said, said)),
        (edge, token, (wrong,)),
        (other, token, (said,)),
        (edge, edges, ()),
    ):
        assert await guarded.ask(pem, shown, *told) == "UNAUTHENTICATED"


def _hex(pem: Pem) -> str:
    return x509.load_pem_x509_certificate(pem.certificate).fingerprint(hashes.SHA256()).hex()


async def test_strangers_do_not_even_connect(guarded: Guarded) -> None:
    """In plain text, without a certificate, or with one of another authority."""
    token = guarded.served.token("doctor")
    own = guarded.authority.pair("spiffe://medhub/me")
    foreign = replace(Authority("Another").pair("spiffe://medhub/me"), authority=own.authority)
    nameless = grpc.ssl_channel_credentials(own.authority)

    for channel in (
        grpc.aio.insecure_channel(guarded.target),
        grpc.aio.secure_channel(guarded.target, nameless),
        channel_with(guarded.target, foreign),
    ):
        async with channel:
            with pytest.raises(grpc.aio.AioRpcError) as refusal:
                await replace(guarded.served, channel=channel).call(
                    ASK, thing(), token, timeout=15.0
                )
        assert refusal.value.code() in (
            grpc.StatusCode.UNAVAILABLE,
            grpc.StatusCode.DEADLINE_EXCEEDED,
        )


async def test_a_replaced_certificate_is_shown_from_then_on(guarded: Guarded) -> None:
    """Without a restart; half a replacement is no replacement."""
    before = await _shown(guarded)
    guarded.files.key.write_bytes(b"not a key yet")
    guarded.files.certificate.write_bytes(b"half of a certif")
    between = await _shown(guarded)
    following = guarded.authority.pair("spiffe://medhub/probe")
    put(guarded.files, following)

    after = await _shown(guarded)

    assert before == between != after
    assert after == following.certificate
    mine = guarded.authority.pair("spiffe://medhub/me")
    assert await guarded.ask(mine, guarded.bound(mine)) == "OK"


async def _shown(guarded: Guarded) -> bytes:
    """The certificate that the server shows in a handshake."""
    address = ("127.0.0.1", guarded.served.server.port)
    pem = guarded.authority.pair("spiffe://medhub/looks")
    files = guarded.files.authority.parent.parent / "looks"
    files.mkdir(exist_ok=True)
    mine = TlsFiles(files / "cert.pem", files / "key.pem", files / "ca.pem")
    put(mine, pem)
    context = ssl.create_default_context(cadata=guarded.authority.pem.decode())
    context.load_cert_chain(mine.certificate, mine.key)
    context.set_alpn_protocols(["h2"])
    reader, writer = await asyncio.open_connection(*address, ssl=context)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    del reader
    return ssl.DER_cert_to_PEM_cert(der).encode()


@pytest.mark.parametrize("listen", ["0.0.0.0:1", "[::]:1", "10.0.0.7:1", "auth.internal:1"])
def test_plain_text_is_for_this_machine(listen: str, tmp_path: Path) -> None:
    """Unless it is said that something else keeps others out."""
    files = Authority().files(tmp_path / "c", "spiffe://medhub/probe")

    with pytest.raises(ValidationError):
        settings_with(listen=listen)
    assert settings_with(listen=listen, plaintext=True).tls is None
    assert settings_with(listen=listen, **settings_of(files)).tls == files
    assert settings_with(listen="[::1]:1").tls is None
    with pytest.raises(ValidationError):
        settings_with(tls_key_path=files.key)
