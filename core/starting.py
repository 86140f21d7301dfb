"""Why a process does not start, told in a line to whoever runs it.

A traceback would not say which setting it was, and may show the values of others.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import SettingsError

from core.crypto.keyring import KeyringUnusable

EXIT_CODE = 2
"""Of a process that was told too little, or something wrong."""

S = TypeVar("S")


class CannotStart(Exception):
    """What a process needs is missing or cannot be used; the text names it, and no secret."""


def told(read: Callable[[], S], prefix: str) -> S:
    """Settings that the environment holds, in variables of this prefix. Raises CannotStart."""
    try:
        return read()
    except ValidationError as wrong:
        faults = wrong.errors(include_input=False, include_url=False)
        lines = [_line(prefix, fault["loc"], fault["msg"]) for fault in faults]
        raise CannotStart("\n".join(lines)) from None
    except SettingsError as wrong:
        # It names the field, and quotes nothing: what was no JSON is in its cause.
        raise CannotStart(f"{prefix}…: {wrong}") from None


def _line(prefix: str, place: tuple[int | str, ...], fault: str) -> str:
    said = fault.removeprefix("Value error, ")
    if said.startswith(prefix):
        return said
    if not place:
        return f"{prefix}…: {said}"
    below = "".join(f".{part}" for part in place[1:])
    return f"{prefix}{str(place[0]).upper()}{below}: {said}"


@contextmanager
def in_words() -> Iterator[None]:
    """End the process where it cannot start, with a line for each reason."""
    try:
        yield
    except (CannotStart, KeyringUnusable) as why:
        for line in str(why).splitlines():
            print(f"medhub: {line}", file=sys.stderr)
        raise SystemExit(EXIT_CODE) from None
