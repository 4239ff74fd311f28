"""The page of planted faults: what is done to a series, what is told, and what becomes of it."""

from __future__ import annotations

from isocenter.testing.simulate.broken import CLEAN, FAULTS, Fault
from scripts.reference.docstrings import table

_HEAD = """# Planted faults

`isocenter.testing.simulate.broken` writes each of these series, and the tests read it. *Rebuilt*: the true volumes are
returned, with no voxel wrong, and what was done is told. *Reviewed*: a person is asked. *Refused*: no volume is returned. Of
several rules, at least one must tell of it."""

_SOUND = """These look unusual and are sound: they are read as they are, and nothing is told that would reject them or ask
a person."""


def page() -> str:
    """Every fault and every sound variant."""
    heads = ["fault", "what is done", "of", "outcome", "told by"]
    faults = table(heads, [_row(fault) for fault in FAULTS])
    sound = table(["variant", "what it is", "of"], [_row(variant)[:3] for variant in CLEAN])
    return f"{_HEAD}\n\n{faults}\n\n## Sound variants\n\n{_SOUND}\n\n{sound}"


def _row(fault: Fault) -> list[object]:
    told = ", ".join(f"`{rule}`" for rule in fault.rules) or "nothing to tell"
    return [f"`{fault.name}`", fault.does, ", ".join(fault.modalities), fault.outcome.value, told]
