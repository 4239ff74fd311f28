"""Audit: whether a split can be trusted."""
