"""Executors: where work runs."""
