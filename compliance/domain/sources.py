"""Sources: the names under which services append, each held by one service account."""

from core.errors import Refusal


class SourceNotYours(Refusal):
    """Another service account appends under this name."""

    reason = "SOURCE_NOT_YOURS"
