"""Sources: the names under which services append. Each is a server's own, as it was registered."""

from core.errors import Refusal


class SourceNotYours(Refusal):
    """The caller is not the server of this name."""

    reason = "SOURCE_NOT_YOURS"


def refuse_stranger(source: str, server: str) -> None:
    """A server appends under its own name, and nobody else does. Raises SourceNotYours."""
    if not server or server != source:
        raise SourceNotYours
