"""Each step of a call, over the wire: who is let in, what is refused, and in which order."""

import asyncio
from datetime import timedelta
from typing import Any

import grpc
import pytest

from core import clock, identity
from core.ids import new_id
from medhub.clinical.v1.patient_pb2 import Patient
from medhub.clinical.v1.patient_service_pb2 import CreatePatientRequest, GetPatientRequest
from tests.support.probe_server import Served, thing
from tests.support.tokens import SigningKey, claims_of, membership, tell

ASK = "medhub.probe.v1.ProbeService/Ask"
GET = "medhub.clinical.v1.PatientService/GetPatient"
CREATE = "medhub.clinical.v1.PatientService/CreatePatient"
NAME = "patients/0198c0de-0000-7000-8000-000000000001"


async def _echo(request: Any) -> Any:
    return request


async def test_a_call_reaches_its_servicer_and_comes_back(served: Served) -> None:
    """The caller is who the token says, and the call knows itself."""
    seen: list[identity.Call] = []

    async def ask(request: Any) -> Any:
        seen.append(identity.call())
        return thing(request.text.upper(), request.number + 1)

    served.servicer.ask = ask
    token = served.token("doctor")

    answer = await served.call(
        ASK,
        thing("ward", 1),
        token,
        metadata=(
            ("traceparent", "00-" + "ab" * 16 + "-" + "cd" * 8 + "-00"),
            ("accept-language", "de-CH, fr;q=0.5"),
            ("x-forwarded-for", "203.0.113.9"),
        ),
    )

    assert (answer.text, answer.number) == ("WARD", 2)
    (call,) = seen
    assert call.method == ASK
    assert (call.action, call.purpose) == ("probe.things.ask", "administration")
    assert (call.trace_id, call.peer, call.language) == ("ab" * 16, "203.0.113.9", "de")
    assert call.caller.organization == served.ward
    left = (call.deadline or 0) - asyncio.get_running_loop().time()
    assert 0 < left <= 2


@pytest.mark.parametrize("peer", ['1.2.3.4, 9.9.9.9"}', '::1%","x":"', "", "9" * 500, "a, b"])
async def test_an_address_that_is_none_is_not_believed(served: Served, peer: str) -> None:
    """What is written to logs and trail is an address, or the connection's own."""
    peers: list[str] = []

    async def ask(request: Any) -> Any:
        peers.append(identity.call().peer)
        return request

    served.servicer.ask = ask

    await served.call(ASK, thing(), served.token("doctor"), metadata=(("x-forwarded-for", peer),))

    assert peers == ["127.0.0.1"]


async def test_without_a_credential_nobody_is_let_in(served: Served) -> None:
    """And the status says to log in, with its reason and its text."""
    told = await served.refused(ASK, thing())

    assert told.code is grpc.StatusCode.UNAUTHENTICATED
    assert told.reason == "UNAUTHENTICATED"
    assert told.message == told.localized == "Please log in."


@pytest.mark.parametrize(
    "credentials",
    [
        ["Basic dTpw"],
        ["Bearer"],
        ["Bearer "],
        ["Bearer x.y.z"],
        ["Bearer " + "x" * 6000],
        ["GOOD", "GOOD"],
        ["GOOD", "Bearer x"],
        ["Bearer x", "GOOD"],
        ["GOOD, GOOD"],
        ["GOOD "],
        [" GOOD", "Basic dTpw"],
    ],
)
async def test_anything_but_one_good_token_is_refused(
    served: Served, credentials: list[str]
) -> None:
    """Two credentials are none, though one of them be good."""
    good = f"Bearer {served.token('doctor')}"
    sent = tuple(("authorization", one.replace("GOOD", good)) for one in credentials)

    told = await served.refused(ASK, thing(), metadata=sent)

    assert told.reason == "UNAUTHENTICATED"


async def test_the_scheme_is_read_in_any_case(served: Served) -> None:
    """`bearer`, `BEARER`: RFC 9110 says so."""
    served.servicer.ask = _echo
    token = served.token("doctor")

    for scheme in ("bearer", "BEARER", "Bearer"):
        sent = (("authorization", f"{scheme} {token}"),)
        assert (await served.call(ASK, thing("x"), metadata=sent)).text == "x"


async def test_an_expired_or_forged_token_is_refused(served: Served) -> None:
    """As is one that another key signed under the same name."""
    long_ago = clock.now().replace(microsecond=0) - timedelta(minutes=9)
    expired = served.token("doctor", issued_at=long_ago, expires_at=long_ago + timedelta(minutes=5))
    forged = SigningKey(served.auth.key.kid).token(claims_of(new_id(), served.ward))

    for token in (expired, forged):
        assert (await served.refused(ASK, thing(), token)).reason == "UNAUTHENTICATED"


async def test_the_permission_is_asked_for_and_named(served: Served) -> None:
    """Who is known and not allowed learns which permission it takes."""
    told = await served.refused(ASK, thing(), served.token("visitor"))

    assert told.code is grpc.StatusCode.PERMISSION_DENIED
    assert (told.reason, told.metadata) == ("PERMISSION_DENIED", {"permission": "probe.things.ask"})


async def test_a_token_without_an_organization_is_told_to_choose_one(served: Served) -> None:
    """Before anything about permissions."""
    subject = served.auth.joins(None, None, "doctor")

    told = await served.refused(ASK, thing(), served.auth.token(subject, None))

    assert told.reason == "ORGANIZATION_REQUIRED"


@pytest.mark.parametrize("raw", [b"\xff\xff\xff", b"\x0a\x05ab", b"\x0a\x02\xff\xfe", b"\x08"])
async def test_bytes_are_looked_at_last(served: Served, raw: bytes) -> None:
    """Garbage is MALFORMED for who may call, and nothing at all for who may not."""
    assert (await served.refused(ASK, raw)).reason == "UNAUTHENTICATED"
    assert (await served.refused(ASK, raw, served.token("visitor"))).reason == "PERMISSION_DENIED"

    told = await served.refused(ASK, raw, served.token("doctor"))

    assert (told.code, told.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_REQUEST")


async def test_invalid_fields_are_told_after_the_permission(served: Served) -> None:
    """A stranger learns nothing of the rules, a doctor each broken one by its path."""
    request = CreatePatientRequest(request_id="no uuid")
    request.patient.birth_name = "x" * 201
    request.patient.sex = 99  # type: ignore[assignment]

    assert (await served.refused(CREATE, request, served.token("visitor"))).violations == []
    told = await served.refused(CREATE, request, served.token("doctor"))

    assert (told.code, told.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    assert dict(told.violations) == {
        "patient.birth_name": "STRING_MAX_LEN",
        "patient.sex": "ENUM_DEFINED_ONLY",
        "request_id": "STRING_UUID",
    }


async def test_the_path_of_a_repeated_field_names_its_place(served: Served) -> None:
    """The third identifier is the third."""
    request = CreatePatientRequest(patient=Patient(birth_name="A"))
    for value in ("1", "2", "x" * 5000):
        request.patient.identifiers.add(value=value)

    told = await served.refused(CREATE, request, served.token("doctor"))

    assert any(path.startswith("patient.identifiers[2].") for path, _ in told.violations)


async def test_a_nul_in_text_is_refused_where_it_stands(served: Served) -> None:
    """PostgreSQL stores none; a number may hold the byte."""
    served.servicer.ask = _echo
    request = CreatePatientRequest(patient=Patient(birth_name="Dur\0and"))

    told = await served.refused(CREATE, request, served.token("doctor"))

    assert told.violations == [("patient.birth_name", "STRING_NO_NUL")]
    assert (await served.call(ASK, thing("x", 1 << 21), served.token("doctor"))).number == 1 << 21


@pytest.mark.parametrize(
    ("asked", "locale", "text"),
    [
        ("fr-FR,fr;q=0.9,en;q=0.8", "fr", "Veuillez vous connecter."),
        ("de", "de", "Bitte melden Sie sich an."),
        ("en-GB", "en", "Please log in."),
        ("it, de;q=0.5", "de", "Bitte melden Sie sich an."),
        ("tlh", "en", "Please log in."),
        ("", "en", "Please log in."),
        ("," * 5000, "en", "Please log in."),
    ],
)
async def test_the_text_comes_in_the_callers_language(
    served: Served, asked: str, locale: str, text: str
) -> None:
    """French, German or English; the status itself stays English."""
    told = await served.refused(ASK, thing(), metadata=(("accept-language", asked),))

    assert (told.locale, told.localized) == (locale, text)
    assert told.message == "Please log in."


@pytest.mark.parametrize(
    "path",
    [
        "/medhub.probe.v1.ProbeService/Nothing",
        "/medhub.clinical.v1.RecordService/GetEncounter",
        "//medhub.probe.v1.ProbeService/Ask",
        "/medhub.probe.v1.ProbeService/Ask/",
        "/medhub.probe.v1.ProbeService/ask",
        "/medhub.probe.v1.ProbeService%2FAsk",
        "medhub.probe.v1.ProbeService/Ask",
    ],
)
async def test_another_path_is_not_served(served: Served, path: str) -> None:
    """No spelling but the contract's leads to a handler, least of all past the steps."""
    rpc: Any = served.channel.unary_unary(path)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await rpc(b"", timeout=5)

    assert refused.value.code() in (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.INTERNAL)


async def test_a_role_change_acts_on_the_next_call(served: Served) -> None:
    """Over the wire, with the same token, in both directions."""
    served.servicer.ask = _echo
    subject = new_id()
    token = served.token("doctor", subject=subject)
    assert await served.call(ASK, thing(), token)

    tell(served.truth.state, membership(subject, served.ward, ["visitor"]))
    assert (await served.refused(ASK, thing(), token)).reason == "PERMISSION_DENIED"

    tell(served.truth.state, membership(subject, served.ward, ["doctor"]))
    assert await served.call(ASK, thing(), token)


async def test_while_auth_is_away_nobody_is_logged_out(served: Served) -> None:
    """UNAVAILABLE with a time to come back."""
    token = served.token("doctor")
    served.auth.reachable = False
    served.truth.state.proven_at -= 60

    told = await served.refused(ASK, thing(), token)

    assert (told.code, told.reason) == (grpc.StatusCode.UNAVAILABLE, "AUTH_UNAVAILABLE")
    assert told.retry_after == 1.0


async def test_a_thousand_calls_of_two_tenants_never_mix(served: Served) -> None:
    """Whoever asks, at whatever moment of the call, is told their own name."""

    async def ask(request: Any) -> Any:
        before = identity.caller()
        await asyncio.sleep(0.001 * (request.number % 7))
        assert identity.caller() is before
        return thing(f"{before.organization}/{before.subject}")

    served.servicer.ask = ask
    people = [(new_id(), new_id()) for _ in range(2)]
    tokens = [served.token("doctor", subject=who, organization=at) for at, who in people]

    answers = await asyncio.gather(
        *(served.call(ASK, thing(number=n), tokens[n % 2], timeout=30.0) for n in range(250))
    )
    for _ in range(3):
        answers += await asyncio.gather(
            *(served.call(ASK, thing(number=n), tokens[n % 2], timeout=30.0) for n in range(250))
        )

    expected = [f"{at}/{who}" for at, who in people]
    assert [answer.text for answer in answers] == [expected[n % 2] for n in range(1000)]


async def test_a_read_of_a_patient_runs_for_care(served: Served) -> None:
    """The purpose comes from the policy."""
    purposes: list[str] = []

    async def get(request: Any) -> Any:
        purposes.append(identity.call().purpose)
        return Patient(name=request.name)

    served.servicer.get = get

    answer = await served.call(GET, GetPatientRequest(name=NAME), served.token("doctor"))

    assert (answer.name, purposes) == (NAME, ["care"])


@pytest.mark.parametrize("revision", ["abc", "-1", "9" * 40, ""])
async def test_a_revision_that_cannot_be_read_is_refused(served: Served, revision: str) -> None:
    """Its caller means that something was revoked: nobody is let in as if nothing had been said."""
    served.servicer.ask = _echo
    metadata = (("x-medhub-min-auth-revision", revision),)

    told = await served.refused(ASK, thing(), served.token("doctor"), metadata=metadata)

    assert (told.code, told.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    assert await served.call(ASK, thing(), served.token("doctor")) == thing()


async def test_a_request_id_is_one_whatever_its_case(served: Served) -> None:
    """UUIDs are compared and not their spellings (RFC 9562)."""
    seen: list[str] = []

    async def create(_request: Any) -> Any:
        seen.append(identity.call().request_id)
        return Patient(name=NAME)

    served.servicer.create = create
    spelt = "0198c0de-0000-7000-8000-00000000000a"
    for one in (spelt, spelt.upper()):
        request = CreatePatientRequest(patient=Patient(birth_name="Durand"), request_id=one)
        await served.call(CREATE, request, served.token("doctor"))

    assert seen == [spelt, spelt]
