"""values/unconvertible-pet."""

from __future__ import annotations

from typing import Annotated

from isocenter.imaging.suv import Suv, decide
from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.8.9.1")
def unconvertible_pet(
    stack: Stack,
    *,
    wanted: Annotated[str, "what is asked for: suvbw, suvlbm, suvlbm-james or suvbsa"] = "suvbw",
) -> Issues:
    """The PET cannot be turned into standardised uptake values.

    Why it matters:
        Uptake is compared between patients by activity over injected dose and body. Where the header does not
        say dose, time, weight or unit beyond doubt, any factor would be a guess, and guesses are wrong by a
        factor of two for a forgotten decay and of a thousand for grams.

    What to do:
        The message names what is missing. Get it from the site, or set `standardise.pet: stored` and normalise
        each image by itself.

    Examples:
        >>> from isocenter.model.suv import SuvFacts
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> stored = SuvFacts(units="GML", suv_type="BW", weight=70.0)
        >>> issues_of(unconvertible_pet, a_stack(modality="PT", suv=stored))
        []
        >>> issues_of(unconvertible_pet, a_stack(modality="PT", suv=stored), wanted="suvlbm")
        ["no suvlbm: Patient's Size (0010,1020) is missing"]
        >>> issues_of(unconvertible_pet, a_stack(modality="PT", suv=SuvFacts(units="PROPCPS")))
        ['no suvbw: Units (0054,1001) are not BQML, CNTS, GML or CM2ML']

    References:
        DICOM PS3.3 C.8.9.1, C.8.9.2 and C.8.9.4; QIBA, FDG-PET/CT SUV vendor-neutral pseudo-code
    """
    if stack.format != "dicom" or stack.modality != "PT":
        return
    decided = decide(stack.suv, wanted)
    if not isinstance(decided, Suv):
        yield Issue(message=f"no {wanted}: {decided.reason}", expected=wanted, clause=decided.clause)
