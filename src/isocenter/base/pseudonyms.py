"""Keyed pseudonyms: the only names of people, files and objects that leave the index."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from isocenter.base.siphash import name_texts


class Pseudonyms:
    """Names derived from identifiers with a secret key (HMAC-SHA256; those of files: SipHash-2-4): same key, same names.

    Args:
        key: At least 16 secret bytes, kept outside the data set.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
        self._pads = bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)
        # a key of its own: files are named by another hash, for there are very many of them
        self._file_key = hmac.digest(key, b"names of files", "sha256")[:16]

    def of(self, kind: str, *parts: object) -> str:
        """`kind-xxxxxxxxxxxxxxxx`: 16 hex digits of the keyed hash of the parts."""
        text = "\x1f".join([kind, *("" if p is None else str(p) for p in parts)])
        # names of files may hold bytes that are no UTF-8
        keyed = hmac.digest(self._key, text.encode(errors="surrogatepass"), "sha256")
        return f"{kind}-{keyed[:8].hex()}"

    def of_each(self, kind: str, texts: Iterable[str]) -> list[str]:
        """`of` for many texts of one kind, each a name's only part."""
        # HMAC (RFC 2104) by hand: both keys are hashed once, and what follows them each time
        inner, outer = (hashlib.sha256(pad) for pad in self._pads)
        label, begin = f"{kind}-", inner.copy()
        begin.update(f"{kind}\x1f".encode())
        out = []
        for text in texts:
            first, second = begin.copy(), outer.copy()
            first.update(text.encode(errors="surrogatepass"))
            second.update(first.digest())
            out.append(label + second.hexdigest()[:16])
        return out

    def of_files(
        self, origin: str, paths: NDArray[np.uint8], offsets: NDArray[np.int64]
    ) -> NDArray[np.uint8]:
        """Names of many files at once, (N, 20) characters `fil-xxxxxxxxxxxxxxxx`: SipHash-2-4 of origin and path.

        Args:
            origin: What tells the source.
            paths: All paths as bytes, one after the other.
            offsets: Where each begins, (N + 1,).
        """
        prefix = f"{origin}\x1f".encode()
        return name_texts(self._file_key, b"fil-", prefix, paths, offsets)

    def of_file(self, origin: str, path: bytes) -> str:
        """The name of one file."""
        data = np.frombuffer(path, np.uint8)
        return self.of_files(origin, data, np.array([0, len(path)], np.int64)).tobytes().decode("ascii")
