"""Index: every file accounted for."""
