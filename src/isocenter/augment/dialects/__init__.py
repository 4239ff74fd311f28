"""Dialects: the transforms of frameworks, one file each."""
