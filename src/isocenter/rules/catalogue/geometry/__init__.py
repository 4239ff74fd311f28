"""Where the slices lie, and whether they make one regular volume."""
