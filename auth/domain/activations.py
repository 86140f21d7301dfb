"""Invitations: how long one may be taken up."""

from datetime import timedelta

ACTIVATION_LIFE = timedelta(days=7)
"""An initial secret expires (OWASP ASVS 6.4.1); a week covers a holiday."""
