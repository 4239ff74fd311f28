"""Screen: the gate after the index."""
