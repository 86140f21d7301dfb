"""The rules of the log: trees, tiles, checkpoints, and how a whole export is verified."""
