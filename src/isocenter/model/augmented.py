"""Augmented: one patch as it is, and as a policy of augmentation makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from isocenter.model.rows import PreviewRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmented:
    """One draw of a policy, on one patch.

    Args:
        case: The case.
        number: Of the draw, from 1.
        parameters: Transform to what was drawn, as a sample tells.
        before: Planes through the middle of the patch.
        after: The same planes, when it has been done.
        invented: Share of the patch's voxels that the policy had to fill in.
    """

    case: str
    number: int
    parameters: Mapping[str, Mapping[str, Any]]
    before: tuple[PreviewRow, ...]
    after: tuple[PreviewRow, ...]
    invented: float
