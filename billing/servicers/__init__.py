"""The contract's side: requests taken apart, answers put together."""
