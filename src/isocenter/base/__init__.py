"""The ground floor: what every room needs and what knows nothing of images."""
