"""The commands of `medhub`, one file each. A new command is one line in `hub.__main__`."""
