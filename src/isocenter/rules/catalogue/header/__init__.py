"""What the header must say about an image, and does not."""
