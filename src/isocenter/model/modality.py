"""Modality: the terms that the standard defines for it, and what people write in their place."""

from __future__ import annotations

# PS3.3 C.7.3.1.1.1: the defined terms, then those that were retired.
_TERMS = """
    ANN AR ASMT AU BDUS BI BMD CFM CR CT CTPROTOCOL DG DMS DOC DX ECG EEG EMG EOG EPS ES FID GM HC HD IO IOL IVOCT
    IVUS KER KO LEN LS M3D MG MR NM OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS OT PA PLAN POS PR PT PX RECON REG RESP
    RF RG RTDOSE RTIMAGE RTINTENT RTPLAN RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SEG SM SMR SR SRF STAIN TEXTUREMAP TG
    US VA XA XAPROTOCOL XC
    AS CD CF CP CS DD DF DM DS EC FA FS LP MA MS OPR PI ST VF
"""
DEFINED = frozenset(_TERMS.split())
# Words of request forms and of other vendors' software.
MEANT = {
    "CAT": "CT",
    "CBCT": "CT",
    "CTA": "CT",
    "DR": "DX",
    "MAMMO": "MG",
    "MRI": "MR",
    "MRT": "MR",
    "NMR": "MR",
    "PET": "PT",
    "PET/CT": "PT or CT",
    "SPECT": "NM",
    "USG": "US",
    "X-RAY": "CR or DX",
    "XR": "CR or DX",
    "XRAY": "CR or DX",
}


def is_defined(modality: str) -> bool:
    """Whether a modality is a term of the standard, written as it is there."""
    return modality in DEFINED


def shown(modality: str) -> str:
    """A modality in words that cannot name a person, for a header may hold anything in its place.

    >>> shown("CT"), shown("mri"), shown("Doe^Jane"), shown("")
    ('CT', 'MRI', 'other', '')
    """
    term = modality.strip().upper()
    return term if not term or meant_by(term) else "other"


def meant_by(modality: str) -> str:
    """The term that was probably meant, or the two; "" where nobody knows.

    >>> meant_by("mri"), meant_by("XR"), meant_by("ZZ")
    ('MR', 'CR or DX', '')
    """
    term = modality.strip().upper()
    return term if term in DEFINED else MEANT.get(term, "")
