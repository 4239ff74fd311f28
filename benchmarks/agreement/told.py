"""What a measured way tells of its result, in millionths; it runs in the environments of the peers too."""

from __future__ import annotations

from typing import Any


def told_of(values: Any) -> list[int]:
    """Numbers that every way gives alike: the mean of what it found, in millionths."""
    numbers = [float(value) for value in values]
    return [round(1e6 * sum(numbers) / len(numbers))] if numbers else []
