"""Whether one place was imaged twice under one series."""
