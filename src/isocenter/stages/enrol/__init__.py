"""Enrol: stacks and annotations become planned cases."""
