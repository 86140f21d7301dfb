"""The servers of the platform, by name."""

from enum import StrEnum


class Service(StrEnum):
    """Each is a package and runs as `python -m <service>`."""

    AUTH = "auth"
    COMPLIANCE = "compliance"
    CLINICAL = "clinical"
    BILLING = "billing"
    ANALYTICS = "analytics"
