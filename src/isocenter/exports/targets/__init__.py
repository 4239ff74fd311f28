"""Layouts to export to, one file each."""
