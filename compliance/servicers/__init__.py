"""The contract's side of compliance: requests in, answers out."""
