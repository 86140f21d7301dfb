"""How fast a revocation is obeyed everywhere, and what happens while auth is away."""

import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import jwt

from auth.signing import _associated
from benchmarks.figures import Effort, Found, Line, Section, Series, Target
from benchmarks.growth import Growth
from benchmarks.load import Outcome, plan, warm_up
from benchmarks.patients import GET, readings
from benchmarks.run import run_module
from benchmarks.stage import ADMINISTRATOR, Stage
from core import clock
from core.crypto.keyring import Keyring
from core.crypto.unlocking import KeyFile
from core.settings import CoreSettings
from core.truth import Claims
from core.truth.proof import TOKEN_LIFE, sign
from hub.services import Service

# Auth is ended this long, in seconds, after a load has begun.
_MOMENT = 1.0
_LOAD_IN_FLIGHT = 8
_LEAST_LOADS = 2
_PEOPLE = 10_000


def measure(stage: Stage, effort: Effort) -> Section:
    """Measure it, launch by launch."""
    found, payloads = Found(), readings(stage, 20)
    for _ in range(effort.launches):
        stage.relaunch("auth")
        found.launch(partial(_revoked, stage, effort, found))
        found.launch(partial(_away, stage, found))
        found.launch(partial(_restarted, stage, effort, payloads, found))
    # The rows are the same each time, and it takes longest.
    found.launch(partial(_ended, stage, effort, found))
    return _section(found)


def _subscribers(stage: Stage, phase: str, **told: object) -> dict[str, float]:
    users = (user for place in stage.running.organizations for user in place["users"])
    person = next(user for user in users if user["email"] == ADMINISTRATOR)
    asked = {
        "phase": phase,
        "email": person["email"],
        "password": person["password"],
        "auth_at": stage.running.grpc["auth"],
        "clinical_at": stage.running.grpc["clinical"],
        **told,
    }
    env = stage.layout.environment(Service.CLINICAL)
    result: dict[str, float] = run_module("benchmarks.subscribers", asked, env=env)
    return result


def _revoked(stage: Stage, effort: Effort, found: Found) -> None:
    told = _subscribers(stage, "revoked", rounds=effort.calls(25, 3))
    found.add(**{f"revoked_{name}": value for name, value in told.items()})


def _away(stage: Stage, found: Found) -> None:
    told = _subscribers(stage, "away", auth=stage.pid("auth"))
    found.add(**{f"away_{name}": value for name, value in told.items()})


def _restarted(stage: Stage, effort: Effort, payloads: list[bytes], found: Found) -> None:
    """Clinical answers reads while auth is ended and comes back; failed calls are the figure."""
    target, token = stage.running.grpc["clinical"], stage.session().token
    calls = effort.calls(2_000, 500)
    wanted = plan(target, GET, payloads, calls=calls, in_flight=_LOAD_IN_FLIGHT, token=token)
    warm_up(wanted)
    began, back = time.monotonic(), threading.Event()

    def relaunch() -> None:
        try:
            time.sleep(_MOMENT)
            stage.relaunch("auth")
        finally:
            back.set()

    relaunching = threading.Thread(target=relaunch)
    relaunching.start()
    outcomes: list[Outcome] = []
    # One load after the other until auth serves again, and one more.
    while not back.is_set() or len(outcomes) < _LEAST_LOADS:
        outcomes.append(Outcome(**run_module("benchmarks.load", asdict(wanted))))
    gone = time.monotonic() - began
    relaunching.join()
    outcomes.append(Outcome(**run_module("benchmarks.load", asdict(wanted))))
    found.add(
        restarted_failed=sum(sum(each.failed.values()) for each in outcomes),
        restarted_calls=sum(each.calls for each in outcomes),
        gone=gone,
    )


def _ended(stage: Stage, effort: Effort, found: Found) -> None:
    """All people of one organization are logged out by one call of its administrator."""
    tokens = _tokens(stage, effort.calls(_PEOPLE, 200))
    told = _subscribers(stage, "ended", tokens=tokens)
    found.add(**{f"ended_{name}": value for name, value in told.items()})


def _tokens(stage: Stage, people: int) -> list[str]:
    """Tokens as log-ins would have given them, signed by auth's own key: hashing the passwords of
    all these people would take longer than the tokens live.
    """
    claims = jwt.decode(stage.session(ADMINISTRATOR).token, options={"verify_signature": False})
    home = UUID(claims["org"])
    growth = Growth(stage, home)
    if not stage.rows("auth", "SELECT 1 FROM app_user WHERE email LIKE '%%@grown.example' LIMIT 1"):
        growth.grow(users=people)
    with growth._connect("auth") as connection:
        connection.execute("SET session_replication_role = replica")
        held: list[Any] = connection.execute(
            "UPDATE session s SET expires_at = now() + interval '1 day', revoked_at = NULL,"
            " revision = r.value FROM auth_revision r, app_user u"
            " WHERE u.id = s.user_id AND u.email LIKE '%%@grown.example'"
            " RETURNING s.id, s.user_id, r.value"
        ).fetchall()
    kid, private = _signing_key(stage)
    now = clock.now().replace(microsecond=0)
    return [
        sign(
            Claims(
                subject=user,
                kind="user",
                revision=revision,
                issued_at=now,
                expires_at=now + TOKEN_LIFE + timedelta(minutes=5),
                token_id=str(uuid4()),
                organization=home,
                session=session,
                assurance=1,
                authenticated_at=now,
            ),
            private,
            kid,
        )
        for session, user, revision in held
    ]


def _signing_key(stage: Stage) -> tuple[str, bytes]:
    """The key that signs now, unwrapped as auth does it."""
    kid, wrapped = stage.rows(
        "auth",
        "SELECT kid, wrapped_key FROM signing_key WHERE state = 'active' AND signs_from <= now()"
        " ORDER BY signs_from DESC LIMIT 1",
    )[0]
    told: Mapping[str, str] = stage.layout.environment(Service.AUTH)
    settings = CoreSettings(
        **{  # type: ignore[arg-type]  # pydantic reads the texts
            name.removeprefix("MEDHUB_AUTH_").lower(): value
            for name, value in told.items()
            if name.startswith("MEDHUB_AUTH_")
        }
    )
    if settings.keyring_key_path is None:
        raise RuntimeError("the platform of a benchmark keeps its key in a file")
    keyring = Keyring.open(settings.keyring_path, KeyFile(settings.keyring_key_path))
    return str(kid), keyring.unwrap(bytes(wrapped), _associated(str(kid)))


def _section(found: Found) -> Section:
    def line(what: str, name: str, unit: str, limit: float | None = None) -> Line:
        target = None if limit is None else Target(limit, unit)
        return Line(what, found[name], unit, target=target)

    lines = [
        line("Logout until a server refuses, 20 servers, p50", "revoked_refused_p50", "ms", 25),
        line("Logout until a server refuses, 20 servers, p99", "revoked_refused_p99", "ms", 250),
        line("Logout until the last of 20 refuses, p50", "revoked_everywhere_p50", "ms"),
        line("Logout until its own answer, p50", "revoked_answered_p50", "ms"),
        line("Logout until a live stream of clinical is cut, p50", "revoked_cut_p50", "ms"),
        line("Logout until a live stream of clinical is cut, p99", "revoked_cut_p99", "ms", 500),
        line("organization logged out until a server refuses, p50", "ended_refused_p50", "ms"),
        line("organization logged out until a server refuses, p99", "ended_refused_p99", "ms", 500),
        line("and until each of its people was asked for and refused", "ended_asked_p99", "ms"),
        line("people logged out by it", "ended_people", ""),
        line("events that it took", "ended_events", "", 1),
        line("auth away: the last write let in, after", "away_write", "s", 2),
        line("auth away: the last read let in, after", "away_read", "s", 10),
        line("auth away: declared reads past 10 s that went on", "away_declared_share", ""),
        line("auth away: valid tokens told to log in again", "away_logged_out", "", 0),
        line("auth restarted under load: seconds that it took", "gone", "s"),
        line("auth restarted under load: calls of clinical", "restarted_calls", ""),
        line("auth restarted under load: failed of them", "restarted_failed", "", 0),
    ]  # fmt: skip
    return Section(
        "Revocation, and auth away",
        "Twenty servers' own parts follow the real auth server, each by a stream of its own, in one"
        " process. The clock runs from the moment Logout is called until a server refuses the"
        " token: what auth does before it commits is in it. The live stream is IngestMessages of"
        " the real clinical server, and its end is its client's. Auth is away by SIGSTOP, and"
        " restarted by SIGTERM while clinical answers GetPatient.",
        lines,
        [*_notes(found), *found.notes()],
    )


def _notes(found: Found) -> list[str]:
    asked: Series = found["away_asked"]
    together = (
        "All twenty share one core of the machine, so the last of them waits for the others; and"
        " that nobody was left out of a log-out, they find one person after the other."
    )
    return [
        together,
        f"While auth was away, {asked.median:,.0f} calls a launch were asked for.",
    ]
