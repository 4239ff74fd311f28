"""Build: planned cases become packed records."""
