"""Data sets for training frameworks, one file each."""
