"""Outside bytes to domain values, one folder per format."""
