"""Units: PET images in several units that came together in one channel of a cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from isocenter.imaging.suv import UNITS, Suv, decide, stored_unit
from isocenter.model.reasons import because
from isocenter.model.rows import Stack
from isocenter.model.task import Channel
from isocenter.stages.enrol.candidates import Draft

_NONE = "no unit"


def tell_mixed_units(drafts: Sequence[Draft], channels: Mapping[str, Channel], wanted: str) -> None:
    """Tell the cases whose PET is not in the unit that most have in its channel.

    Args:
        drafts: The cases in the making; they take the issues.
        channels: The channels of the cohort.
        wanted: What PET values become: "suvbw", ..., or "stored".
    """
    asked = UNITS.get(wanted)
    for name, channel in channels.items():
        found: dict[str, list[Draft]] = {}
        for draft in drafts:
            stack = draft.chosen.get(name)
            if stack is not None and "PT" in {stack.modality, channel.modality}:
                found.setdefault(_unit_of(stack, wanted), []).append(draft)
        common, *others = sorted(found, key=lambda u: (-len(found[u]), u == _NONE, u != asked, u)) or [""]
        for unit in others:
            for draft in found[unit]:
                draft.issues.append(because("enrol/mixed-units", measured=f"{name}: {unit}", expected=common))


def _unit_of(stack: Stack, wanted: str) -> str:
    """Unit that the values will have; files that are no DICOM say none."""
    if stack.format != "dicom" or stack.modality != "PT":
        return _NONE
    if wanted in UNITS and isinstance(decide(stack.suv, wanted), Suv):
        return UNITS[wanted]
    unit = stored_unit(stack.pet_units, "" if stack.suv is None else stack.suv.suv_type)
    return _NONE if unit == "arbitrary" else unit
