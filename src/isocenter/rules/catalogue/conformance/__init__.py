"""What the standard asks of an object's header, and what the header makes of it."""
