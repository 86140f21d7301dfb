"""The contract's side of analytics: requests in, answers out."""
