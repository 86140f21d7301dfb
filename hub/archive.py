"""The file of a backup: a tar archive, sealed to a key in the age format.

Any age program opens it without medhub (age-encryption.org/v1), and tar reads what is inside:

    manifest.json       when it was made, by which release, of which PostgreSQL
    secrets/…           passwords, keys and keyrings
    postgres/data/…     the whole cluster, as PostgreSQL's own base backup gives it
    end.json            how many members stand before it: a file that was cut has none

Nothing is staged in clear: what is written passes through a pipe into the sealing thread, and what
is read comes out of one.
"""

import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TypeAlias

import pyrage

MANIFEST = "manifest.json"
END = "end.json"
_PIECE = 1024 * 1024  # bytes copied at a time

Recipient: TypeAlias = pyrage.x25519.Recipient
Identity: TypeAlias = pyrage.x25519.Identity


class Unusable(Exception):
    """The file is no archive, was cut or altered, or is for another key."""


class Writer:
    """Adds members to an archive, and counts them."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.members = 0

    def json(self, name: str, content: object) -> None:
        """A small document."""
        self.content(name, json.dumps(content, indent=1).encode() + b"\n")

    def file(self, name: str, path: Path) -> None:
        """A file of this machine."""
        self.content(name, path.read_bytes())

    def tree(self, prefix: str, tar: IO[bytes]) -> None:
        """All files and folders of another archive, as they come, under a folder of this one."""
        with tarfile.open(fileobj=tar, mode="r|") as inner:
            for member in inner:
                content = inner.extractfile(member) if member.isreg() else None
                member.name = str(PurePosixPath(prefix, member.name))
                self._add(member, content)

    def content(self, name: str, content: bytes) -> None:
        """What is in memory."""
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(content), 0o600
        self._add(member, io.BytesIO(content))

    def _add(self, member: tarfile.TarInfo, content: IO[bytes] | None) -> None:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        self._tar.addfile(member, content)
        self.members += 1


@contextmanager
def written(target: Path, recipient: Recipient) -> Iterator[Writer]:
    """Write an archive; the file appears at `target` whole, or not at all.

    Only its owner may read it, sealed as it is.
    """
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with (
                _piped(lambda clear: pyrage.encrypt_io(clear, file, [recipient])) as clear,
                tarfile.open(fileobj=clear, mode="w|") as tar,
            ):
                writer = Writer(tar)
                yield writer
                writer.json(END, {"members": writer.members})
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _piped(seal: Callable[[IO[bytes]], None]) -> Iterator[IO[bytes]]:
    """Run `seal` in a thread on what the block writes; it has all of it when the block is left."""
    reading, writing = os.pipe()
    with ThreadPoolExecutor(1) as pool:
        with os.fdopen(writing, "wb") as out:
            sealing = pool.submit(_and_close, seal, os.fdopen(reading, "rb"))
            yield out
        sealing.result()


def _and_close(work: Callable[[IO[bytes]], None], end: IO[bytes]) -> None:
    """Whoever is at the other end of a pipe must not wait for one who has failed."""
    with end:
        work(end)


def unpack(
    source: Path,
    identity: Identity,
    into: Path,
    accept: Callable[[dict[str, str]], None],
    *,
    what: str = "backup",
) -> None:
    """Unpack an archive into an empty folder. `accept` sees the manifest before anything else.

    Raises Unusable, whose text calls the file by `what` it should be, and what `accept` raises.
    """
    reading, writing = os.pipe()
    with ThreadPoolExecutor(1) as pool, source.open("rb") as sealed:
        opening = pool.submit(
            _and_close,
            lambda clear: pyrage.decrypt_io(sealed, clear, [identity]),
            os.fdopen(writing, "wb"),
        )
        failed: Exception | None = None
        try:
            with os.fdopen(reading, "rb") as clear, tarfile.open(fileobj=clear, mode="r|") as tar:
                _unpack(tar, into, accept)
        except (tarfile.TarError, OSError, ValueError, KeyError) as error:
            failed = error
        try:
            opening.result()
        except BrokenPipeError:
            pass  # The reader has stopped first, and says why.
        except (pyrage.DecryptError, OSError) as error:
            raise Unusable(f"{source} is no {what}, not for this key, or was altered") from error
        if failed is not None:
            raise Unusable(f"{source} is not whole") from failed


def _unpack(tar: tarfile.TarFile, into: Path, accept: Callable[[dict[str, str]], None]) -> None:
    """Every member in its place, up to the one that says that nothing is missing."""
    for many, member in enumerate(tar):
        content = tar.extractfile(member) if member.isreg() else None
        if many == 0:
            accept(json.loads(_read(member, content, MANIFEST)))
        elif member.name == END:
            if json.loads(_read(member, content, END))["members"] != many:
                raise ValueError("members are missing")
            return
        else:
            _place(member, content, into)
    raise ValueError("the end is missing")


def _read(member: tarfile.TarInfo, content: IO[bytes] | None, name: str) -> bytes:
    if member.name != name or content is None:
        raise ValueError(f"{name} is missing")
    return content.read()


def _place(member: tarfile.TarInfo, content: IO[bytes] | None, into: Path) -> None:
    """One file or folder, below `into` and nowhere else; a backup holds no other kinds."""
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts:
        raise ValueError("a member would stand outside")
    path = into.joinpath(*name.parts)
    if member.isdir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    elif content is not None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            while piece := content.read(_PIECE):
                file.write(piece)
    else:
        raise ValueError("a member is neither file nor folder")
