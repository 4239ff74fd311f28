"""The parts of a simulated archive, one kind of data a file."""
