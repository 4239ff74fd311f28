"""What kind of picture it is, and whether it is the one that is wanted."""
