"""Offboarding of an organization from the whole platform, by its operator: `medhub offboard`."""
