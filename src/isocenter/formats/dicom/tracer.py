"""What one PET object says of its tracer, its times and its scale, as texts for the index (PS3.3 C.8.9, C.8.22)."""

from __future__ import annotations

from typing import Any

from isocenter.formats.dicom.header import Header
from isocenter.imaging.nuclides import nuclide_of

# Attributes of the object itself, of Radiopharmaceutical Information Sequence, and of makers: creator, group, number.
PLAIN = (
    "SUVType", "DecayCorrection", "CorrectedImage", "SeriesDate", "SeriesTime", "AcquisitionDate", "AcquisitionTime",
    "AcquisitionDateTime", "TimezoneOffsetFromUTC", "FrameReferenceTime", "ActualFrameDuration", "DecayFactor",
    "PatientWeight", "PatientSize", "PatientSex", "DecayCorrected", "DecayCorrectionDateTime", "AttenuationCorrected",
)  # fmt: skip
_TRACER = (
    "RadiopharmaceuticalStartDateTime",
    "RadiopharmaceuticalStartTime",
    "RadionuclideTotalDose",
    "RadionuclideHalfLife",
)
_PRIVATE = {
    "GEScanDateTime": (0x0009, "GEMS_PETD_01", 0x0D),
    "PhilipsSUVFactor": (0x7053, "Philips PET Private Group", 0x00),
    "PhilipsActivityFactor": (0x7053, "Philips PET Private Group", 0x09),
}
SEQUENCE = "RadiopharmaceuticalInformationSequence"
# By their tags where their makers reserve the first block of a group, which no dictionary has keywords for.
_PLACES = [(group, number) for group, _, n in _PRIVATE.values() for number in (0x10, 0x1000 | n)]
PRIVATE_TRACER_TAGS = tuple(sorted({f"{group:04X}{number:04X}" for group, number in _PLACES}))
TRACER_KEYWORDS = (*PLAIN, SEQUENCE, *PRIVATE_TRACER_TAGS)
# What reserves any other block there.
_OTHER_CREATORS = frozenset(group << 16 | n for group, _ in _PLACES for n in range(0x11, 0x100))
# What `tracer_texts` needs unless `is_elsewhere`.
KEYWORDS = (*TRACER_KEYWORDS, *(f"{tag:08X}" for tag in sorted(_OTHER_CREATORS)))


def tracer_texts(dataset: Any) -> tuple[str, ...]:
    """Each attribute that has a value as "Name=value", sorted.

    The free texts of the tracer's name do not get out: of them there is at most the name of a nuclide.

    Args:
        dataset: The data set, private elements with it.
    """
    header = Header(dataset)
    out = {name: header.text(name) for name in PLAIN}
    out |= {name: _private(dataset, *place) for name, place in _PRIVATE.items()}
    items = header.sequence(SEQUENCE)
    if items:
        out["Tracers"] = str(len(items))
        out |= {name: items[0].text(name) for name in _TRACER}
        out["Nuclide"] = nuclide_of(*_names(items[0]))
    return tuple(sorted(f"{name}={value}" for name, value in out.items() if value))


def is_elsewhere(dataset: Any) -> bool:
    """Whether another block than the first is reserved, so that a maker's elements may not be among `KEYWORDS`."""
    return not _OTHER_CREATORS.isdisjoint(dataset.keys())


def _names(tracer: Header) -> list[str]:
    """What the tracer's nuclide may be told by: the code of the nuclide, else the name of the tracer."""
    codes = [
        c.text(k) for c in tracer.sequence("RadionuclideCodeSequence") for k in ("CodeValue", "CodeMeaning")
    ]
    if nuclide_of(*(c or "" for c in codes)):
        return [c for c in codes if c]
    named = [tracer.text("Radiopharmaceutical")]
    named += [c.text("CodeMeaning") for c in tracer.sequence("RadiopharmaceuticalCodeSequence")]
    return [n for n in named if n]


def _private(dataset: Any, group: int, creator: str, number: int) -> str | None:
    """A private element as text, whatever it is encoded as."""
    try:
        value = dataset.private_block(group, creator)[number].value
    except Exception:  # noqa: BLE001 - the library raises many types where a block or its value is damaged
        return None
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return str(value).strip(" \0") or None
