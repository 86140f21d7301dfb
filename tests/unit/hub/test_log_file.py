"""Logs cannot fill the disk."""

from pathlib import Path

from hub.log_file import OLDER_FILES, LogFile


def test_a_full_log_is_rotated_and_the_oldest_is_dropped(tmp_path: Path) -> None:
    """However much is written, only so many files of so many bytes are kept."""
    log = LogFile(tmp_path / "child.log", file_bytes=10)

    for number in range(20):
        log.write(f"line {number:04}\n".encode())
    log.close()

    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["child.log", *(f"child.log.{n}" for n in range(1, OLDER_FILES + 1))]
    assert (tmp_path / "child.log").read_text() == "line 0019\n"
    assert (tmp_path / "child.log.1").read_text() == "line 0018\n"


def test_the_tail_is_the_last_lines(tmp_path: Path) -> None:
    """Someone who is told of a failed start sees the end of the log."""
    log = LogFile(tmp_path / "child.log")
    log.write(b"one\ntwo\nthree\n")

    assert log.tail(2) == "two\nthree"
    log.close()


def test_writing_to_a_full_disk_is_no_error() -> None:
    """A child is not stopped because its log cannot be written."""
    log = LogFile(Path("/dev/full"), file_bytes=10_000)

    log.write(b"lost\n")

    log.close()
