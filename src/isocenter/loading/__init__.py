"""Reading a store at training time."""
