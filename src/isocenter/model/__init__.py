"""The nouns: frozen dataclasses in the field's own terms, and the tables made of them."""
