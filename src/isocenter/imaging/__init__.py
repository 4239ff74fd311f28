"""Arrays and geometry: no files, no tables."""
