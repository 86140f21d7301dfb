"""Files for one owner: written whole or not at all, and refused when others can read them."""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MAX_SIZE = 1024 * 1024
"""Bytes; a thousand keys take a tenth of this."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class UnsafeFile(Exception):
    """The file is not a regular file closed to group and others, or is too large to be ours."""


@dataclass(frozen=True, slots=True)
class PrivateFile:
    """A file of mode 0600 (a narrower one is accepted) in a directory that may be shared."""

    path: Path

    def read(self) -> bytes:
        """The content. Raises OSError, or UnsafeFile when someone else might read it too."""
        # The mode is asked of the opened file, so it cannot be exchanged in between.
        with self.path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or stat.S_IMODE(status.st_mode) & _OTHERS:
                raise UnsafeFile("must be a regular file closed to group and others (chmod 600)")
            if status.st_size > MAX_SIZE:
                raise UnsafeFile("is too large")
            return file.read(MAX_SIZE)

    def create(self, content: bytes) -> None:
        """Write a new file. Raises FileExistsError when there is one, whoever made it."""
        with self._written(content) as complete:
            # A hard link, unlike a rename, fails when the name is taken.
            self.path.hardlink_to(complete)

    def replace(self, content: bytes) -> None:
        """Put new content in the place of the old; a reader sees the one or the other."""
        with self._written(content) as complete:
            complete.replace(self.path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep out whoever else asks for this lock, in this process or another.

        The lock is on the directory, since `replace` exchanges the file itself. It waits: what
        is done under it is a read and a write of one small file.
        """
        directory = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            yield
        finally:
            os.close(directory)

    @contextmanager
    def _written(self, content: bytes) -> Iterator[Path]:
        """A complete, durable file beside ours; its own name is gone afterwards."""
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        complete = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            yield complete
            self._settle()
        finally:
            complete.unlink(missing_ok=True)

    def _settle(self) -> None:
        """Make the new name durable: a directory entry is flushed apart from its file."""
        directory = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
