"""Consensus methods, one file each."""
