"""Bench: what reading patches costs on the user's own cases, measured against raw files; never a claim."""
