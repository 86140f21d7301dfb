"""Secrets of a platform started by `medhub up`: made once, kept in files only the owner reads."""

import os
import secrets as randomness
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# 256 bits: these protect stored data for as long as it is kept.
_BYTES = 32


@dataclass(frozen=True, slots=True)
class Secrets:
    """The folder that holds them."""

    folder: Path

    def text(self, name: str) -> str:
        """The secret of this name, a random one of 256 bits when there is none yet."""
        return self.file(name, lambda: randomness.token_urlsafe(_BYTES).encode()).read_text()

    def file(self, name: str, make: Callable[[], bytes]) -> Path:
        """The file of this name, with what `make` returns when there is none yet.

        Two processes that ask at once get the same file: the first link wins, whole.
        """
        path = self.folder / name
        if path.exists():
            return path
        draft = path.with_name(f".{name}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return path
