"""Exports: a store written in the layouts of other tools."""
