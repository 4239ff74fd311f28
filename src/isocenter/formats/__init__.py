"""Formats: the one door to every file format."""
