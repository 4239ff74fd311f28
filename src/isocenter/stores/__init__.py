"""Packed stores: one promise, several backends."""
