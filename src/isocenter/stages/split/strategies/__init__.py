"""Split strategies, one file each."""
