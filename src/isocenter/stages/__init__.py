"""The stages of a run; they never import each other."""
