"""Limits of what a header may ask for; each is an option, and each that is reached is an issue."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one file's header may cost before the file is refused (`file/limit`)."""

    header_bytes: Annotated[int, "bytes of values in front of the pixel data"] = 64 << 20
    elements: Annotated[int, "elements of a header, those inside sequences with them"] = 300_000
    depth: Annotated[int, "sequences inside sequences"] = 100
    items: Annotated[int, "items of one sequence"] = 100_000
    value_bytes: Annotated[int, "bytes of one text value"] = 64 << 10
    seconds: Annotated[float, "seconds that one header may take"] = 10.0
    members: Annotated[int, "files in one archive"] = 1_000_000

    def __post_init__(self) -> None:
        for limit in fields(self):
            if getattr(self, limit.name) <= 0:
                raise ValueError(f"{limit.name} must be above 0")


DEFAULT_LIMITS = Limits()
