"""The first command on a fresh machine: `python3 dev.py up`, or `python3 dev.py check`.

It needs Python 3.11 and its standard library; an older Python can still read this file, and is told
so (hence the quoted types). It makes the environment in `.venv` from the hashed
lock, once, and hands over to the recipe of that name in the justfile.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LOCK = ROOT / "requirements.lock"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "medhub.stamp"
OLDEST = (3, 11)
INTERRUPTED = 130  # what shells answer for a command that Ctrl-C ended
NEWER_NAMES = ("python3.14", "python3.13", "python3.12", "python3.11")
PIP_OPTIONS = ("--quiet", "--no-input", "--disable-pip-version-check")

HELP = """\
usage: python3 dev.py <recipe> [arguments]

  up       start medhub with its demo, here, until Ctrl-C
  check    run every check: format, lint, types, import rules, contract, tests
  setup    only make the environment in .venv

All recipes: python3 dev.py --list
"""

NO_PIP = """\
This Python ({python}) can make an environment but has no pip to fill it, neither its own nor one
in ensurepip. Install one of these, then run the same command again:
  Debian, Ubuntu   apt-get install python3-venv
  Fedora           dnf install python3-pip
  or uv from https://docs.astral.sh/uv/, found on PATH"""


class SetupFailed(Exception):
    """The environment cannot be made; the text says why and what to do."""


def say(text: str) -> None:
    """One line of progress, at once, on the error stream: a recipe's own output stays clean."""
    print(f"medhub: {text}", file=sys.stderr, flush=True)


def works(python: str, probe: str = "") -> bool:
    """Whether this interpreter starts, is new enough, and can run `probe`."""
    program = f"import sys; assert sys.version_info >= {OLDEST}; {probe}"
    try:
        answer = subprocess.run(
            [python, "-c", program],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def use_newer_python() -> None:
    """Start again under a newer interpreter of this machine, or stop with what is missing."""
    for name in NEWER_NAMES:
        found = shutil.which(name)
        if found and works(found):
            os.execv(found, [found, str(ROOT / "dev.py"), *sys.argv[1:]])
    wanted, here = ".".join(map(str, OLDEST)), ".".join(map(str, sys.version_info[:3]))
    sys.exit(f"medhub needs Python {wanted} or newer; this is {here}, and no newer one is on PATH.")


def fingerprint() -> str:
    """What the environment was made from: the lock, the project, the interpreter, the place.

    The place is part of it because scripts in an environment name their interpreter by its full
    path: an environment that was moved or copied must be made anew.
    """
    digest = hashlib.sha256(LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes())
    return f"{digest.hexdigest()} {VENV}"


def is_ready() -> bool:
    """Whether the environment is there, starts, and was made from what is here now."""
    return (
        STAMP.is_file()
        and STAMP.read_text() == fingerprint()
        and (VENV / "bin" / "just").is_file()
        and works(str(PYTHON))
    )


def is_usable() -> bool:
    """Whether an older environment can be brought up to date instead of made anew."""
    made_here = STAMP.is_file() and STAMP.read_text().endswith(f" {VENV}")
    return made_here and works(str(PYTHON))


def make_venv(venv: Path) -> None:
    """An empty environment, with pip where this Python carries one."""
    with_pip = works(sys.executable, "import ensurepip")
    options = ["--clear"] if with_pip else ["--clear", "--without-pip"]
    run([sys.executable, "-m", "venv", *options, str(venv)])


def installer(python: Path) -> "list[str]":
    """The command that installs into the environment of `python`: its own pip, ours, or uv.

    A managed Python (PEP 668) refuses to be installed into; its pip may still fill another one.
    """
    if works(str(python), "import pip"):
        return [str(python), "-m", "pip", "install", *PIP_OPTIONS]
    if works(sys.executable, "import pip"):
        return [sys.executable, "-m", "pip", "--python", str(python), "install", *PIP_OPTIONS]
    if shutil.which("uv"):
        return ["uv", "pip", "install", "--quiet", "--python", str(python)]
    raise SetupFailed(NO_PIP.format(python=sys.executable))


def install_locked(command: "list[str]", *locks: Path) -> None:
    """Install lock files side by side, each package checked against its hash.

    A lock is complete, so nothing is resolved (`--no-deps`) and nothing is built from source.
    """
    locked = [*command, "--require-hashes", "--no-deps", "--only-binary", ":all:", "-r"]
    run(*([*locked, str(lock)] for lock in locks))


def run(*commands: "list[str]") -> None:
    """Run commands side by side; their output shows only what went wrong."""
    running = [subprocess.Popen(command, cwd=ROOT) for command in commands]
    failed = [command for command, child in zip(commands, running, strict=True) if child.wait()]
    if failed:
        raise SetupFailed(f"this step failed: {' '.join(failed[0])}")


def lock_halves(folder: Path) -> "list[Path]":
    """The lock, dealt into two files. One pip keeps one core busy; two finish in half the time.

    They cannot disturb each other: the halves name different packages and nothing is resolved.
    """
    entries = [entry for entry in re.split(r"\n(?=\S)", LOCK.read_text()) if "--hash" in entry]
    halves = []
    for number in (0, 1):
        half = folder / f"half-{number}.txt"
        half.write_text("\n".join(entries[number::2]) + "\n")
        halves.append(half)
    return halves


def install() -> None:
    """The locked packages, then medhub itself, editable."""
    command = installer(PYTHON)
    say("installing the locked packages")
    with tempfile.TemporaryDirectory() as folder:
        install_locked(command, *lock_halves(Path(folder)))
    say("installing medhub itself")
    run([*command, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])


def setup() -> None:
    """Bring the environment up to date; nothing to do is found out in milliseconds."""
    if is_ready():
        return
    started = time.monotonic()
    if not is_usable():
        say(f"making an environment in {VENV}")
        make_venv(VENV)
    STAMP.unlink(missing_ok=True)
    install()
    STAMP.write_text(fingerprint())
    say(f"the environment is ready ({time.monotonic() - started:.0f} s)")


def locked_setup() -> None:
    """`setup`, one at a time: two shells started together must not write one environment."""
    import fcntl

    with (ROOT / ".dev.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        setup()


def main(arguments: "list[str]") -> None:
    """Make the environment, then become `just <arguments>`."""
    if not arguments or arguments[0] in {"-h", "--help"}:
        print(HELP)
        return
    try:
        locked_setup()
    except SetupFailed as failure:
        sys.exit(f"medhub: {failure}")
    except KeyboardInterrupt:
        # What was installed so far is mended by the next run.
        sys.exit(INTERRUPTED)
    if arguments == ["setup"]:
        return
    if arguments[0] == "up":
        # Not through just, which answers Ctrl-C, the ordinary end of `up`, with an error.
        medhub = str(VENV / "bin" / "medhub")
        os.execv(medhub, [medhub, "up", "--demo", *arguments[1:]])
    os.environ["PATH"] = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    just = str(VENV / "bin" / "just")
    os.execv(just, [just, "--justfile", str(ROOT / "justfile"), *arguments])


if __name__ == "__main__":
    if sys.version_info < OLDEST:
        use_newer_python()
    main(sys.argv[1:])
