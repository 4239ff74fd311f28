"""Lets `python -m isocenter` do what the command `isocenter` does."""

from isocenter.cli.main import main

main()
