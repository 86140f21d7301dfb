"""People who use a whole platform while a test does something to it: they create, read, log in.

Each call is made as a client makes it that heeds the contract: again, with the same request_id,
until it is answered. What was answered is remembered.
"""

import secrets
import threading
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from uuid import uuid4

from tests.support.whole import Answer, Whole

# Answers that ask to come back; everything else that is no success is wrong.
AGAIN = frozenset({429, 502, 503, 504})
PAUSE_SECONDS = 0.1
# However loaded the machine: a platform that has lost a process answers again within this time.
PATIENCE_SECONDS = 240.0
# Tokens live for five minutes.
TOKEN_SECONDS = 120.0
ADMIN = "admin@saint-luc.example"


@dataclass
class Load:
    """What was answered. Names are of patients."""

    whole: Whole
    prefix: str = field(default_factory=lambda: f"LOAD{secrets.token_hex(4).upper()}")
    created: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    sessions: int = 0
    wrong: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """Let everybody finish what they have begun."""
        self._stop.set()

    def create(self) -> None:
        """Create patients, one after the other, and read each."""
        token, since = self._log_in(), time.monotonic()
        while not self._stop.is_set():
            if time.monotonic() - since > TOKEN_SECONDS:
                token, since = self._log_in(), time.monotonic()
            body = {"birth_name": f"{self.prefix}{len(self.created)}"}
            path = f"/clinical/v1/patients?request_id={uuid4()}"
            made = self._answered("POST", path, body, token)
            if made is None:
                return
            self.created.append(made.json()["name"])
            read = self._answered("GET", f"/clinical/v1/{self.created[-1]}", None, token)
            if read is not None:
                self.shown.append(self.created[-1])

    def log_in(self) -> None:
        """Log in again and again."""
        while not self._stop.is_set() and self._log_in():
            self.sessions += 1
            self._stop.wait(1.0)

    def _log_in(self) -> str:
        body = {"email": ADMIN, "password": self.whole.password(ADMIN)}
        made = self._answered("POST", "/auth/login", body, "")
        return "" if made is None else str(made.json()["access_token"])

    def _answered(self, verb: str, path: str, body: object, token: str) -> Answer | None:
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            try:
                answer = self.whole.http(verb, path, body, token=token)
            except (urllib.error.URLError, HTTPException, OSError):
                answer = None  # the edge itself is away
            if answer is not None and answer.status == 200:
                return answer
            if answer is not None and answer.status not in AGAIN:
                self.wrong.append(f"{verb} {path}: {answer.status} {answer.body[:300]!r}")
                return None
            time.sleep(PAUSE_SECONDS)
        self.wrong.append(f"{verb} {path}: no answer")
        return None


@contextmanager
def load(whole: Whole) -> Iterator[Load]:
    """Use the platform for the length of a block; at its end everything begun is answered."""
    made = Load(whole)
    threads = [threading.Thread(target=run) for run in (made.create, made.log_in)]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        made.stop()
        for thread in threads:
            thread.join()
