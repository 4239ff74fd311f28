"""Keyed pseudonyms: the only names of people, files and objects that leave the index."""

from __future__ import annotations

import hashlib
import hmac


class Pseudonyms:
    """Names derived from identifiers with a secret key (HMAC-SHA256): same key, same names.

    Args:
        key: At least 16 secret bytes, kept outside the data set.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, kind: str, *parts: object) -> str:
        """`kind-xxxxxxxxxxxxxxxx`: 16 hex digits of the keyed hash of the parts."""
        text = "\x1f".join([kind, *("" if p is None else str(p) for p in parts)])
        # names of files may hold bytes that are no UTF-8
        keyed = hmac.new(self._key, text.encode(errors="surrogatepass"), hashlib.sha256)
        return f"{kind}-{keyed.hexdigest()[:16]}"
