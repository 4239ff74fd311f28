"""header/unexpected-body-part."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule

# Regions of the body, and the terms (PS3.16 Annex L, and what scanners write) that lie in them.
_TERMS = {
    "head": "HEAD BRAIN SKULL ORBIT FACE SINUS PARANASALSINUS JAW MAXILLA MANDIBLE EAR PITUITARY HEADNECK HEADANDNECK",
    "neck": "NECK THYROID LARYNX PHARYNX CSPINE HEADNECK HEADANDNECK NECKCHEST CERVICALSPINE",
    "chest": "CHEST THORAX LUNG LUNGS HEART CARDIAC CORONARY MEDIASTINUM BREAST RIB STERNUM TSPINE THORACICSPINE "
    "NECKCHEST CHESTABDOMEN CHESTABDPELVIS THORAXABDOMEN",
    "abdomen": "ABDOMEN LIVER KIDNEY PANCREAS SPLEEN STOMACH ADRENAL GALLBLADDER COLON LSPINE LUMBARSPINE "
    "CHESTABDOMEN CHESTABDPELVIS ABDOMENPELVIS ABDOMENANDPELVIS THORAXABDOMEN",
    "pelvis": "PELVIS PROSTATE BLADDER UTERUS OVARY RECTUM HIP SACRUM CHESTABDPELVIS ABDOMENPELVIS ABDOMENANDPELVIS",
    "arm": "ARM SHOULDER CLAVICLE HUMERUS ELBOW FOREARM WRIST HAND FINGER EXTREMITY UPPEREXTREMITY",
    "leg": "LEG HIP FEMUR THIGH KNEE CALF ANKLE FOOT TOE EXTREMITY LOWEREXTREMITY",
}
_WHOLE = {"WHOLEBODY", "BODY", "TRUNK", "SPINE", "WHOLESPINE", "PARTIALBODY"}  # may hold any of them


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.7.3.1")
def unexpected_body_part(
    stack: Stack,
    *,
    wanted: Annotated[
        tuple[str, ...], "body parts that the task is about, e.g. CHEST; none: not judged"
    ] = (),
) -> Issues:
    """The image is of another part of the body than the task is about.

    Why it matters:
        A knee in a data set of chests is noise to training and a wrong negative in a test. The attribute is
        often set by the protocol, and the protocol by habit, so only a region that cannot hold the wanted
        one is rejected; a word that is not known here goes to review, none at all is noted.

    What to do:
        Name the body parts in the options of the rule. Look at what it holds back once per source.

    Examples:
        >>> from isocenter.model.attributes import Attribute
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> thorax = a_stack(attributes=(Attribute(name="body_part", value="THORAX"),))
        >>> issues_of(unexpected_body_part, thorax, wanted=("CHEST", "ABDOMEN"))
        []
        >>> issues_of(unexpected_body_part, thorax, wanted=("KNEE",))
        ['the header says chest, wanted is KNEE']
        >>> issues_of(unexpected_body_part, a_stack(), wanted=("KNEE",))
        ['the header does not say which part of the body it is']
        >>> issues_of(unexpected_body_part, thorax)
        []

    References:
        DICOM PS3.3 C.7.3.1 General Series Module: Body Part Examined (0018,0015); PS3.16 Annex L
    """
    if not wanted or stack.format != "dicom":
        return
    term, asked = _plain(stack.attribute("body_part")), [_plain(w) for w in wanted]
    found, target = _regions((term,)), _regions(asked)
    expected = ", ".join(wanted)
    if not term:
        yield Issue(
            message="the header does not say which part of the body it is",
            severity=Severity.NOTE,
            expected=expected,
        )
    elif term in asked or found & target:
        return
    elif found and target:
        yield Issue(
            message=f"the header says {' and '.join(sorted(found))}, wanted is {expected}",
            severity=Severity.REJECT,
            measured=", ".join(sorted(found)),
            expected=expected,
        )
    else:
        yield Issue(message=f"the body part is not known here, wanted is {expected}", expected=expected)


def _plain(term: str) -> str:
    return "".join(c for c in term.upper() if c.isalpha())


def _regions(terms: Iterable[str]) -> set[str]:
    if not _WHOLE.isdisjoint(terms):
        return set(_TERMS)
    return {region for region, known in _TERMS.items() if not set(known.split()).isdisjoint(terms)}
