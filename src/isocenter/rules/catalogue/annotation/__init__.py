"""What raters marked, whether it fits the image, and whether they agree."""
