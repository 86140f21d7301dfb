"""The designs that medhub is compared with: how each is launched, and whether it answers right.

gunicorn has two workers, one a core, of four threads: they wait for the auth service meanwhile, and
a connection stays open, which the default worker would close after each answer. uvicorn has its
faster loop and parser, and its access log is off.
"""

import http.client
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.copied import Copy
from benchmarks.processes import age_of, cpu_below, tree_of
from benchmarks.run import WorthlessRun, listening
from hub.ports import HOST

_WORKERS: Final = 2
_THREADS: Final = 4
_SECONDS: Final = 60.0
_UNAUTHORIZED: Final = 401
_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class Served:
    """A design that serves: where, what it consists of, and what it has answered."""

    port: int
    pids: Mapping[str, int]
    # Seconds from the start of each of its processes to its first right answer.
    started: Mapping[str, float]
    # The answers to all paths, each checked.
    bodies: Sequence[str]

    def cpu(self) -> dict[str, Callable[[], float]]:
        """Reads the CPU seconds of its processes."""
        return {part: lambda pid=pid: cpu_below(pid) for part, pid in self.pids.items()}  # type: ignore[misc]

    def workers(self, part: str) -> list[int]:
        """The processes that answer: those that a server has started, or itself alone."""
        first, *others = tree_of(self.pids[part])
        return others or [first]


@contextmanager
def django(python: Path, copy: Copy, *, shares_client: bool) -> Iterator[Served]:
    """The replaced design: Django Ninja that asks a FastAPI auth service at each request."""
    env = _environment(copy)
    with listening(_uvicorn(python, "auth_service"), env) as (auth, auth_port):
        env |= {
            "COMPARISON_AUTH_URL": f"http://{HOST}:{auth_port}",
            "COMPARISON_SHARES_CLIENT": "yes" if shares_client else "no",
            "COMPARISON_DJANGO_KEY": secrets.token_urlsafe(),
        }
        _check_auth(auth_port, copy)
        ready = age_of(auth)
        with listening(_gunicorn(python), env) as (service, port):
            bodies, first = _checked(port, copy, service)
            yield Served(
                port, {"service": service, "auth": auth}, {"service": first, "auth": ready}, bodies
            )


@contextmanager
def fastapi(python: Path, copy: Copy) -> Iterator[Served]:
    """FastAPI that proves tokens itself."""
    with listening(_uvicorn(python, "local_tokens"), _environment(copy)) as (service, port):
        bodies, first = _checked(port, copy, service)
        yield Served(port, {"service": service}, {"service": first}, bodies)


def _environment(copy: Copy) -> dict[str, str]:
    return {"COMPARISON_DATABASE_URL": copy.url, "COMPARISON_PUBLIC_KEY": copy.public_key}


def _uvicorn(python: Path, module: str) -> Callable[[int], list[str]]:
    serve = [str(python), "-m", "uvicorn", f"benchmarks.replaced.{module}:app"]
    return lambda fd: [*serve, "--fd", str(fd), "--no-access-log", "--log-level", "warning"]


def _gunicorn(python: Path) -> Callable[[int], list[str]]:
    serve = [str(python), "-m", "gunicorn", "benchmarks.replaced.wsgi", "--log-level", "warning"]
    workers = ["--workers", str(_WORKERS), "--worker-class", "gthread", "--threads", str(_THREADS)]
    # As behind a proxy that keeps its connections.
    return lambda fd: [*serve, *workers, "--keep-alive", "75", "--bind", f"fd://{fd}"]


def _checked(port: int, copy: Copy, pid: int) -> tuple[list[str], float]:
    """The answers to all paths, and how old the server was at the first."""
    first = 0.0
    bodies = []
    for path, wanted in copy.shown.items():
        status, body = _ask(port, "GET", path, copy.token)
        first = first or age_of(pid)
        if status != http.client.OK or not is_same(json.loads(body), wanted):
            raise WorthlessRun(f"a wrong answer, status {status}")
        bodies.append(body)
    refusals = {
        "a foreign patient": (_ask(port, "GET", copy.foreign, copy.token)[0], _NOT_FOUND),
        "a broken token": (
            _ask(port, "GET", next(iter(copy.shown)), copy.token[:-8])[0],
            _UNAUTHORIZED,
        ),
    }
    for what, (status, expected) in refusals.items():
        if status != expected:
            raise WorthlessRun(f"{what} is answered with {status}")
    return bodies, first


def _check_auth(port: int, copy: Copy) -> None:
    status, body = _ask(port, "POST", "/validate", copy.token, {"token": copy.token})
    if status != http.client.OK or json.loads(body)["roles"] != ["doctor"]:
        raise WorthlessRun(f"the auth service answers {status}")


def _ask(
    port: int, method: str, path: str, token: str, told: Mapping[str, str] | None = None
) -> tuple[int, str]:
    connection = http.client.HTTPConnection(HOST, port, timeout=_SECONDS)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    try:
        connection.request(method, path, json.dumps(told) if told else None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def is_same(answer: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether an answer holds all that it must and nothing else; times may be spelled variously."""
    times = {"created_at", "updated_at"}
    return answer.keys() == wanted.keys() and all(
        _moment(answer[name]) == _moment(value) if name in times else answer[name] == value
        for name, value in wanted.items()
    )


def _moment(text: str) -> datetime:
    """A time to the millisecond, which is as exact as some frameworks tell it."""
    moment = datetime.fromisoformat(text)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
