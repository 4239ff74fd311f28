"""Whether a case, as it was built, can be learned from."""
