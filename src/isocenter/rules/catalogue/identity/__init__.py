"""Whose picture it is, and whether it could say so."""
