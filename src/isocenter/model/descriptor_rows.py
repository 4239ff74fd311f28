"""The rows of near-duplicate search: what stands for an image, and two images that show the same."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DescriptorRow:
    """`build/descriptors.parquet`: what stands for one channel of one case when near-duplicates are looked for.

    `exact` is the digest of its canonical pixels, `vector` the float32 of its descriptor and `picture` its 8-bit
    picture (`picture_shape`), both little-endian bytes; `extent_mm` is the field of view along (k, j, i).
    """

    case: str
    channel: str
    exact: str
    vector: bytes
    picture: bytes
    picture_shape: tuple[int, ...]
    extent_mm: tuple[float, ...]
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two images that show the same, `a` before `b`: how alike they are (1 is equal), and in which way.

    `kind` is "same-pixels", "near-duplicate", "mirrored" or "cropped".
    """

    a: str
    b: str
    score: float
    kind: str
