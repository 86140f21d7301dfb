"""The ward, for the tests of core's database layer."""

from tests.support.wards import db, ward

__all__ = ["db", "ward"]
