"""Names of DICOM's well-known UIDs, as the standard's dictionary gives them (PS3.6 Annex A)."""

from __future__ import annotations

from pydicom import config
from pydicom.uid import UID, RTStructureSetStorage

# The SOP Class of objects that are listed among the annotations.
RT_STRUCTURE_SET = str(RTStructureSetStorage)


def sop_class_name(uid: str) -> str:
    """`CT Image Storage` for the UID of a SOP Class; "" for one that the standard does not know."""
    return _name(uid, "SOP Class")


def transfer_syntax_name(uid: str) -> str:
    """`Explicit VR Little Endian` for the UID of a transfer syntax; "" for one that the standard does not know."""
    return _name(uid, "Transfer Syntax")


def _name(uid: str, kind: str) -> str:
    known = UID(uid, config.IGNORE)  # whatever a header holds
    return str(known.name) if known.is_valid and known.type == kind else ""
