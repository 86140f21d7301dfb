"""The platform as a newcomer meets it: one command up, then grpcurl, curl, MLLP and the story."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.demo import messages
from hub.services import Service
from tests.support.whole import Whole, up

pytestmark = pytest.mark.timeout(400)
DOCTOR = "docteur@saint-luc.example"
ADMIN = "admin@saint-luc.example"
NURSE = "infirmier@saint-luc.example"
GO_BIN = Path(os.environ.get("GOBIN", Path.home() / "go" / "bin"))
GRPCURL = shutil.which("grpcurl") or shutil.which("grpcurl", path=str(GO_BIN))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """One platform for all tests of this module."""
    with up(tmp_path_factory.mktemp("whole") / "medhub") as started:
        yield started


def grpcurl(*arguments: str) -> str:
    """Run grpcurl; where Go is absent there is none, and the test says so."""
    if GRPCURL is None:
        pytest.skip("grpcurl is not here: it needs Go")
    ran = subprocess.run(
        [GRPCURL, "-plaintext", *arguments], check=False, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_run_json_says_where_everything_is(whole: Whole) -> None:
    """Outside scripts find addresses and users in it."""
    found = json.loads((whole.data_dir / "run.json").read_text())

    assert set(found) == {"pid", "grpc", "edge", "mllp", "demo"}
    assert found["grpc"].keys() == set(Service)
    assert found["edge"]["http"].startswith("http://127.0.0.1:")
    assert set(found["mllp"]) == {"host", "port"}
    organizations = found["demo"]["organizations"]
    assert len(organizations) >= 2
    for organization in organizations:
        assert organization["name"].startswith("organizations/")
        roles = {role for user in organization["users"] for role in user["roles"]}
        assert {"administrator", "doctor", "nurse", "biller"} <= roles


def test_the_story_goes_as_it_must(whole: Whole) -> None:
    """`medhub demo` ends with zero against the running platform, and can be told twice."""
    first, second = whole.medhub("demo"), whole.medhub("demo")

    told = "".join(one.stdout + one.stderr for one in (first, second) if one.returncode)
    assert (first.returncode, second.returncode) == (0, 0), told
    assert "showings of a person's data" in first.stdout
    assert "inclusion proofs verified" in first.stdout


@pytest.mark.parametrize("service", Service)
def test_grpcurl_lists_and_describes(whole: Whole, service: Service) -> None:
    """Reflection is open under `up`."""
    target = whole.running.grpc[service]

    listed = grpcurl(target, "list").split()

    own = [name for name in listed if name.startswith(f"medhub.{service}.v1.")]
    assert own
    assert "grpc.health.v1.Health" in listed
    for name in own:
        service_told = grpcurl(target, "describe", name)
        assert "rpc " in service_told
        method = service_told.partition("rpc ")[2].partition(" ")[0]
        assert f"rpc {method}" in grpcurl(target, "describe", f"{name}.{method}")


def test_grpcurl_calls_each_service(whole: Whole) -> None:
    """An engineer with a token can ask each service something."""
    bearer = ("-H", f"authorization: Bearer {whole.token(ADMIN)}")
    grpc = whole.running.grpc

    me = grpcurl(*bearer, grpc["auth"], "medhub.auth.v1.AuthService/ListMyOrganizations")
    units = grpcurl(*bearer, grpc["clinical"], "medhub.clinical.v1.PractitionerService/ListUnits")
    log = grpcurl(*bearer, grpc["compliance"], "medhub.compliance.v1.AuditService/GetCheckpoint")
    metrics = grpcurl(*bearer, grpc["analytics"], "medhub.analytics.v1.MetricService/ListMetrics")

    assert "Saint-Luc" in me
    assert "CARD" in units
    assert "medhub/log/" in log
    assert "metrics/clinical.patients.created" in metrics


def test_existing_backends_call_as_they_do_today(whole: Whole) -> None:
    """Log-in, validation, authorization, renewal and log-out by the paths they know."""
    body = {"email": DOCTOR, "password": whole.password(DOCTOR)}
    session = whole.http("POST", "/auth/login", body).json()
    token = session["access_token"]

    valid = whole.http("POST", "/auth/validate", {"token": token})
    may = whole.http(
        "POST", "/auth/authorize", {"resource": "clinical.patients", "action": "read"}, token=token
    )
    may_not = whole.http(
        "POST", "/auth/authorize", {"resource": "auth.roles", "action": "create"}, token=token
    )
    renewed = whole.http("POST", "/auth/refresh", {"refresh_token": session["refresh_token"]})
    ended = whole.http("POST", "/auth/logout", {}, token=token)
    after = whole.http("POST", "/auth/validate", {"token": token})

    assert valid.status == 200
    assert valid.json()["roles"] == ["doctor"]
    assert {"user_id", "organization_id", "expire_time"} <= valid.json().keys()
    assert may.json()["authorized"] is True
    assert may_not.json()["authorized"] is False
    assert renewed.json()["access_token"]
    assert ended.status == 200
    assert after.status == 401
    assert after.json()["details"][0]["reason"] == "TOKEN_INVALID"


def test_a_patient_is_created_read_and_changed_by_rest(whole: Whole) -> None:
    """JSON keeps the names of the contract, and a retry makes nothing new."""
    token = whole.token(DOCTOR)
    patient = {"birth_name": "Lemoine", "birth_given_names": "Jeanne", "sex": "SEX_FEMALE"}
    request_id = "6f2c7a54-9d4b-4a53-8a0e-0c7e5a3f9b10"
    path = f"/clinical/v1/patients?request_id={request_id}"

    made = whole.http("POST", path, patient, token=token)
    again = whole.http("POST", path, patient, token=token)
    name = made.json()["name"]
    shown = whole.http("GET", f"/clinical/v1/{name}", token=token)
    changed = whole.http(
        "PATCH", f"/clinical/v1/{name}?update_mask=used_name",
        {"used_name": "Leroy", "etag": shown.json()["etag"]}, token=token,
    )  # fmt: skip
    stale = whole.http(
        "PATCH", f"/clinical/v1/{name}?update_mask=used_name",
        {"used_name": "Autre", "etag": shown.json()["etag"]}, token=token,
    )  # fmt: skip

    assert (made.status, again.status) == (200, 200)
    assert again.json()["name"] == name
    assert shown.json()["birth_name"] == "Lemoine"
    assert changed.json()["used_name"] == "Leroy"
    assert stale.status == 409
    assert stale.json()["details"][0]["reason"] == "ETAG_MISMATCH"


BAD: list[tuple[str, str, Any, int]] = [
    ("GET", "/nowhere", None, 404),
    ("DELETE", "/auth/login", None, 405),
    ("POST", "/auth/login", b"{", 400),
    ("POST", "/auth/login", {"email": 7}, 400),
    ("POST", "/auth/login", {"email": "a@b.example", "password": "x", "more": 1}, 400),
    ("POST", "/auth/login", {"email": "a@b.example", "password": "wrong"}, 401),
    ("POST", "/auth/login", {"email": "a\u0000@b.example", "password": "x"}, 400),
    ("POST", "/auth/login", b'{"email": "\xff"}', 400),
    ("POST", "/auth/login", b"[" * 10_000 + b"]" * 10_000, 400),
    ("POST", "/auth/login", b'{"email": "' + b"a" * 2_000_000 + b'"}', 413),
    ("POST", "/medhub.auth.v1.AuthStateService/ResolvePrincipal", {"access_token": "x"}, 404),
    ("POST", "/medhub.auth.v1.AuthStateService/Watch", {}, 404),
]


@pytest.mark.parametrize(("verb", "path", "body", "status"), BAD)
def test_bad_requests_get_a_typed_error(
    whole: Whole, verb: str, path: str, body: object, status: int
) -> None:
    """Every error of the edge is a google.rpc.Status, and quotes nothing of the request."""
    answer = whole.http(verb, path, body)

    assert answer.status == status
    assert {"code", "message", "details"} <= answer.json().keys()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page_token=garbage", "page_token"),
        ("page_size=-1", "page_size"),
        ("page_size=9999", "page_size"),
    ],
)
def test_bad_pages_are_refused_by_field(whole: Whole, query: str, field: str) -> None:
    """The answer names the field."""
    answer = whole.http("GET", f"/clinical/v1/patients?{query}", token=whole.token(DOCTOR))

    assert answer.status == 400
    fields = [
        violation["field"]
        for detail in answer.json()["details"]
        for violation in detail.get("field_violations", [])
    ]
    assert fields == [field]


@pytest.mark.parametrize(
    "date",
    [
        {"year": 2024, "month": 13, "day": 1},
        {"year": 2023, "month": 2, "day": 29},
        {"year": 99999, "month": 1, "day": 1},
    ],
)
def test_absurd_dates_are_refused(whole: Whole, date: dict[str, int]) -> None:
    """A date that no calendar has changes nothing."""
    body = {"birth_name": "Lemoine", "birth_date": date}

    answer = whole.http("POST", "/clinical/v1/patients", body, token=whole.token(DOCTOR))

    assert answer.status == 400


def test_the_docs_page_and_its_document_need_no_network(whole: Whole) -> None:
    """OpenAPI 3.1 and a page that loads nothing from elsewhere."""
    document = whole.http("GET", "/api/openapi.json").json()
    page = whole.http("GET", "/api/docs")

    assert document["openapi"].startswith("3.1")
    assert "/clinical/v1/patients" in document["paths"]
    assert page.status == 200
    assert b"http://" not in page.body
    assert b"https://" not in page.body


def test_health_is_told_at_the_edge(whole: Whole) -> None:
    """The edge answers for all services."""
    assert whole.http("GET", "/health/").status == 200


def test_the_doctor_finds_everything_well(whole: Whole) -> None:
    """`medhub doctor` ends with zero on a platform that runs."""
    examined = whole.medhub("doctor")

    assert examined.returncode == 0, examined.stdout


def test_messages_are_sent_from_files(whole: Whole, tmp_path: Path) -> None:
    """`medhub hl7 send` sends what a file holds and says what became of it."""
    at = messages.now()
    file = tmp_path / "messages.hl7"
    people = [messages.Patient(f"S{n}", "PETIT", "Zoé", "19900101", "F") for n in range(20)]
    file.write_bytes(b"".join(messages.new_identity(p, f"send-{p.ipp}", at) for p in people))

    sent = whole.medhub(
        "hl7", "send", str(file),
        "--host", whole.running.mllp_host, "--port", str(whole.running.mllp_port),
    )  # fmt: skip

    assert sent.returncode == 0, sent.stdout + sent.stderr


def test_the_trail_is_verified_from_outside(whole: Whole) -> None:
    """`medhub audit verify` checks every leaf, the checkpoint and the completeness."""
    verified = whole.medhub("audit", "verify", "--email", ADMIN)

    assert verified.returncode == 0, verified.stdout + verified.stderr
