"""`run.json`: where the running platform can be reached. Scripts and the other commands read it."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict


class DemoUser(TypedDict):
    """Someone who can log in to the demo."""

    email: str
    password: str
    roles: list[str]


class DemoOrganization(TypedDict):
    """A tenant of the demo. `name` is its resource name."""

    name: str
    display_name: str
    users: list[DemoUser]


@dataclass(frozen=True, slots=True)
class Running:
    """A platform that is up. Addresses are `host:port`; `http` is a URL without a final slash."""

    pid: int
    grpc: Mapping[str, str]
    http: str
    mllp_host: str
    mllp_port: int
    organizations: list[DemoOrganization] = field(default_factory=list)


def running_to_json(running: Running) -> str:
    """The text of `run.json`."""
    return json.dumps(
        {
            "pid": running.pid,
            "grpc": dict(running.grpc),
            "edge": {"http": running.http},
            "mllp": {"host": running.mllp_host, "port": running.mllp_port},
            "demo": {"organizations": running.organizations},
        },
        ensure_ascii=False,
        indent=2,
    )


def running_from_json(text: str) -> Running:
    """The platform that a `run.json` describes."""
    found = json.loads(text)
    return Running(
        pid=found["pid"],
        grpc=found["grpc"],
        http=found["edge"]["http"],
        mllp_host=found["mllp"]["host"],
        mllp_port=found["mllp"]["port"],
        organizations=found["demo"]["organizations"],
    )


def write(path: Path, running: Running) -> None:
    """Put the file in place whole: a reader sees all of it or none. It may hold passwords."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(running_to_json(running) + "\n")
    draft.replace(path)


def read(path: Path) -> Running | None:
    """The running platform, or None when no file says that one runs."""
    try:
        return running_from_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None


def remove(path: Path) -> None:
    """Say that the platform no longer runs."""
    path.unlink(missing_ok=True)
