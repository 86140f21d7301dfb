"""The environment of what medhub is compared with; none of its packages is medhub's own."""

import fcntl
import hashlib
from pathlib import Path

import dev
from benchmarks.run import ROOT

LOCK = Path(__file__).with_name("requirements.lock")
_FOLDER = ROOT / ".cache" / "benchmarks"


def python() -> Path:
    """Its interpreter. It is made from the hashed lock when it is not there, or another one's."""
    _FOLDER.parent.mkdir(exist_ok=True)
    with _FOLDER.with_suffix(".lock").open("w") as lock:
        # Two runs started together must not write one environment.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _python()


def _python() -> Path:
    found, stamp = _FOLDER / "bin" / "python", _FOLDER / "medhub.stamp"
    fingerprint = f"{hashlib.sha256(LOCK.read_bytes()).hexdigest()} {_FOLDER}"
    if stamp.is_file() and stamp.read_text() == fingerprint and dev.works(str(found)):
        return found
    dev.say(f"making an environment in {_FOLDER}")
    dev.make_venv(_FOLDER)
    dev.install_locked(dev.installer(found), LOCK)
    stamp.write_text(fingerprint)
    return found
