"""The designs compared with: what counts as a right answer, and how they are launched."""

import http.client
import os
import sys

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type import date_pb2

from benchmarks import http_load
from benchmarks.copied import as_shown
from benchmarks.designs import is_same
from benchmarks.run import ROOT, WorthlessRun, listening
from hub.ports import HOST
from medhub.clinical.v1 import patient_pb2

# A server with one worker that answers every path with the path itself.
_ECHO = """
import http.server, socket, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = self.path.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *told):
        pass
server = http.server.ThreadingHTTPServer(("", 0), Handler, bind_and_activate=False)
server.socket = socket.socket(fileno=int(sys.argv[1]))
server.serve_forever()
"""


def _echo(number: int) -> list[str]:
    return [sys.executable, "-c", _ECHO, str(number)]


def test_a_patient_is_shown_as_the_other_designs_answer_them() -> None:
    """Names of the contract's enums are shortened, dates and times are ISO 8601."""
    patient = patient_pb2.Patient(
        name="patients/0190a000-0000-7000-8000-000000000001",
        birth_name="VERDIER",
        birth_date=date_pb2.Date(year=1980, month=5, day=2),
        sex=patient_pb2.SEX_FEMALE,
        identity_status=patient_pb2.IDENTITY_STATUS_PROVISIONAL,
        create_time=Timestamp(seconds=0),
        update_time=Timestamp(seconds=1),
        identifiers=[
            patient_pb2.PatientIdentifier(
                system="1.2.3", type=patient_pb2.IDENTIFIER_TYPE_PI, value="7",
                use=patient_pb2.IDENTIFIER_USE_OFFICIAL,
            )
        ],
    )  # fmt: skip

    shown = as_shown(patient)

    assert shown == {
        "id": "0190a000-0000-7000-8000-000000000001",
        "birth_name": "VERDIER",
        "used_name": "",
        "birth_given_names": "",
        "first_birth_given_name": "",
        "birth_date": "1980-05-02",
        "sex": "FEMALE",
        "identity_status": "PROVISIONAL",
        "created_at": "1970-01-01T00:00:00+00:00",
        "updated_at": "1970-01-01T00:00:01+00:00",
        "revision": 1,
        "identifiers": [{"system": "1.2.3", "type": "PI", "value": "7", "use": "OFFICIAL"}],
    }


def test_times_are_compared_as_times() -> None:
    """Frameworks spell UTC and fractions of a second in their own ways."""
    wanted = {"sex": "MALE", "created_at": "2026-01-02T03:04:05.678901+00:00"}

    assert is_same({"sex": "MALE", "created_at": "2026-01-02T03:04:05.678Z"}, wanted)
    assert not is_same({"sex": "MALE", "created_at": "2026-01-02T03:04:05.679Z"}, wanted)


@pytest.mark.parametrize(
    "answer", [{"sex": "FEMALE"}, {}, {"sex": "MALE", "revision": 1}], ids=["other", "less", "more"]
)
def test_an_answer_holds_what_it_must_and_nothing_else(answer: dict[str, object]) -> None:
    """A field that differs, is missing or was not asked for makes an answer wrong."""
    assert not is_same(answer, {"sex": "MALE"})


def test_a_server_inherits_its_socket() -> None:
    """Whoever connects before it serves is answered; it ends with the block."""
    with listening(_echo, {}) as (pid, port):
        connection = http.client.HTTPConnection(HOST, port, timeout=60)
        connection.request("GET", "/early")
        answer = connection.getresponse().read()
        connection.close()

    assert answer == b"/early"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_an_answer_with_another_body_is_counted_as_failed() -> None:
    """The right status and the right size are not enough."""
    with listening(_echo, {}) as (_, port):
        right = http_load.Plan(HOST, port, ["/a", "/b"], "", 6, 2, ["/a", "/b"])
        wrong = http_load.Plan(HOST, port, ["/a", "/b"], "", 6, 2, ["/a", "/c"])

        assert http_load.carry_out(right).calls == 6
        with pytest.raises(WorthlessRun, match="OTHER_BODY"):
            http_load.carry_out(wrong)


def test_what_is_compared_with_is_locked_by_hash() -> None:
    """Its lock names no address, and nothing of it is among medhub's own packages."""
    lock = (ROOT / "benchmarks" / "requirements.lock").read_text()
    own = (ROOT / "requirements.lock").read_text()

    assert "://" not in lock
    assert lock.count("==") <= lock.count("--hash=sha256:")
    for package in ("django", "django-ninja", "fastapi", "gunicorn", "uvicorn", "httpx"):
        assert f"\n{package}==" in lock
        assert f"\n{package}==" not in own
