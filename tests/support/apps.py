"""An authenticator app."""

import base64

from auth.domain import totp
from core import clock


class App:
    """An app with one seed; `factor` is what medhub calls it."""

    def __init__(self, secret: str, factor: str = "") -> None:
        self.seed = base64.b32decode(secret + "=" * (-len(secret) % 8))
        self.factor = factor

    def code(self, steps: int = 0) -> str:
        """The code that it shows now, or that it showed or will show some steps away."""
        return totp.code_of(self.seed, totp.step_at(clock.now()) + steps)
