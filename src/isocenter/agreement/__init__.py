"""Agreement of raters, and their consensus."""
