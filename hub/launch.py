"""Started between the supervisor and each child: bind its life to the supervisor's, then become it.

A child must not outlive a supervisor that was killed with -9, and the embedded PostgreSQL must not
run as root. Both have to be arranged in the new process itself, after the fork; doing it in this
little program instead of in a hook after fork keeps the supervisor free to use threads and grpc.
It is run as a file with `-I -S`, imports almost nothing and costs about 15 ms.

    launch.py <parent pid> <death signal> <uid:gid or -> <program> <arguments…>
"""

import ctypes
import os
import sys

# From linux/prctl.h. The signal is cleared when the user changes, so it is set after that.
_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Become the program; returns never."""
    parent, signal, owner, *command = arguments
    if owner != "-":
        become(*map(int, owner.split(":")))
    if sys.platform == "linux":
        die_with_parent(int(parent), int(signal))
    os.execvpe(command[0], command, os.environ)


def become(uid: int, gid: int) -> None:
    """Drop root for good."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with_parent(parent: int, signal: int) -> None:
    """Ask the kernel for `signal` when the parent ends; it may already have ended."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal)
    if os.getppid() != parent:
        sys.exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
