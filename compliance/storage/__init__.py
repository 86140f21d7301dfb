"""Rows of compliance: the logs' leaves and tiles, their checkpoints, and the keys."""
