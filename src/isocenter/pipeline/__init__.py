"""The config, and runs of stages in order."""
