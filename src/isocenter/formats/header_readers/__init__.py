"""Header readers, one file each."""
