"""A log file that cannot fill the disk."""

from pathlib import Path

# Each child keeps at most four files of this size: enough for days of quiet and minutes of storm.
FILE_BYTES = 8 * 1024 * 1024
OLDER_FILES = 3


class LogFile:
    """Bytes go to `path`; when it is full it becomes `path.1`, that becomes `path.2`, and so on."""

    def __init__(self, path: Path, *, file_bytes: int = FILE_BYTES) -> None:
        self.path = path
        self._file_bytes = file_bytes
        self._file = path.open("ab", buffering=0)

    def write(self, lines: bytes) -> None:
        """Append, in a new file when this one is full. A full disk loses log, not service."""
        try:
            if self._file.tell() >= self._file_bytes:
                self._rotate()
            self._file.write(lines)
        except OSError:
            pass

    def tail(self, lines: int) -> str:
        """The last lines, for someone who is told that a start failed."""
        text = self.path.read_bytes()[-64 * 1024 :].decode("utf-8", "replace")
        return "\n".join(text.splitlines()[-lines:])

    def close(self) -> None:
        """Close the file; later writes are lost."""
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        for number in range(OLDER_FILES - 1, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            if older.exists():
                older.replace(self.path.with_name(f"{self.path.name}.{number + 1}"))
        self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        self._file = self.path.open("ab", buffering=0)
