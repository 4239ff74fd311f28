"""Transforms, one file each."""
