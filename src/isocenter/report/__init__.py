"""One HTML file out of a workspace."""
