"""What every service needs to be safe, and nothing else."""
