"""The sealed file of a backup: whole or refused."""

import io
import tarfile
from pathlib import Path

import pyrage
import pytest

from hub import archive

KEY = pyrage.x25519.Identity.generate()


def _made(folder: Path, member: tarfile.TarInfo | None = None) -> Path:
    """An archive with a secret and a tree of one file, or of the member given."""
    secret = folder / "secret"
    secret.write_text("opens everything")
    tree = io.BytesIO()
    with tarfile.open(fileobj=tree, mode="w") as tar:
        tar.addfile(member or _regular("base/1/2"), io.BytesIO(b"rows"))
    tree.seek(0)
    target = folder / "backup.age"
    with archive.written(target, KEY.to_public()) as writer:
        writer.json(archive.MANIFEST, {"postgres_major": "18"})
        writer.file("secrets/one", secret)
        writer.tree("postgres/data", tree)
    return target


def _regular(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = len(b"rows")
    return member


def _anything(_: dict[str, str]) -> None:
    """Accepts every manifest."""


def test_what_was_written_is_unpacked(tmp_path: Path) -> None:
    """Secrets and trees stand where they stood, closed to others; the manifest is shown first."""
    source, into = _made(tmp_path), tmp_path / "into"
    into.mkdir()
    shown: list[dict[str, str]] = []

    archive.unpack(source, KEY, into, shown.append)

    assert shown == [{"postgres_major": "18"}]
    assert (into / "secrets/one").read_text() == "opens everything"
    assert (into / "postgres/data/base/1/2").read_bytes() == b"rows"
    assert (into / "secrets/one").stat().st_mode & 0o777 == 0o600
    assert source.stat().st_mode & 0o777 == 0o600
    assert b"opens everything" not in source.read_bytes()


def test_another_key_does_not_open_it(tmp_path: Path) -> None:
    """Nothing is unpacked, and the refusal says why."""
    source, into = _made(tmp_path), tmp_path / "into"
    into.mkdir()

    with pytest.raises(archive.Unusable, match="not for this key"):
        archive.unpack(source, pyrage.x25519.Identity.generate(), into, _anything)

    assert list(into.iterdir()) == []


@pytest.mark.parametrize("kept", [0, 10, 0.3, 0.9, -1])
def test_a_cut_file_is_refused(tmp_path: Path, kept: float) -> None:
    """Wherever it ends: before the header, in the middle, a byte before the end."""
    source, into = _made(tmp_path), tmp_path / "into"
    into.mkdir()
    whole = source.read_bytes()
    source.write_bytes(whole[: int(len(whole) * kept) if 0 < kept < 1 else int(kept)])

    with pytest.raises(archive.Unusable):
        archive.unpack(source, KEY, into, _anything)


def test_an_archive_without_its_end_is_refused(tmp_path: Path) -> None:
    """Sealed well by somebody who stopped early."""
    clear, into = io.BytesIO(), tmp_path / "into"
    into.mkdir()
    with tarfile.open(fileobj=clear, mode="w") as tar:
        writer = archive.Writer(tar)
        writer.json(archive.MANIFEST, {"postgres_major": "18"})
    source = tmp_path / "backup.age"
    source.write_bytes(pyrage.encrypt(clear.getvalue(), [KEY.to_public()]))

    with pytest.raises(archive.Unusable, match="not whole"):
        archive.unpack(source, KEY, into, _anything)


@pytest.mark.parametrize("name", ["../../outside", "a/../../../outside"])
def test_nothing_is_unpacked_outside(tmp_path: Path, name: str) -> None:
    """Whoever holds the public key can seal an archive; it still stays in its folder."""
    source, into = _made(tmp_path, _regular(name)), tmp_path / "deep" / "into"
    into.mkdir(parents=True)

    with pytest.raises(archive.Unusable, match="not whole"):
        archive.unpack(source, KEY, into, _anything)

    assert not list(tmp_path.rglob("outside"))


def test_a_link_is_refused(tmp_path: Path) -> None:
    """It could lead anywhere; a base backup without tablespaces has none."""
    link = tarfile.TarInfo("base/link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc"
    source, into = _made(tmp_path, link), tmp_path / "into"
    into.mkdir()

    with pytest.raises(archive.Unusable, match="not whole"):
        archive.unpack(source, KEY, into, _anything)


def test_a_manifest_may_be_refused_before_anything_is_unpacked(tmp_path: Path) -> None:
    """As when PostgreSQL's version is another one."""
    source, into = _made(tmp_path), tmp_path / "into"
    into.mkdir()

    def refuse(_: dict[str, str]) -> None:
        raise LookupError("another release")

    with pytest.raises(LookupError, match="another release"):
        archive.unpack(source, KEY, into, refuse)

    assert list(into.iterdir()) == []


def test_a_backup_that_fails_leaves_no_file(tmp_path: Path) -> None:
    """Neither under its name nor as a draft."""
    target = tmp_path / "backup.age"

    with pytest.raises(OSError, match="gone"), archive.written(target, KEY.to_public()):
        raise OSError("gone")

    assert list(tmp_path.iterdir()) == []
