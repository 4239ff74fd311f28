"""header/missing-device."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Series
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.7.5.1")
def missing_device(series: Series) -> Issues:
    """The header does not say which device made the image.

    Why it matters:
        Scanners differ, and a data set whose scanners are unknown cannot be balanced or tested for them.
        But de-identification removes the device unless told to keep it, so a rule that drops such series
        drops whole centres that were cleaned properly. They are noted, and form a stratum of their own.

    What to do:
        Ask the centre to de-identify with the Retain Device Identity Option. To drop such series, set the
        severity of `header/missing-device` to reject; look at the number of notes first.

    Examples:
        >>> from isocenter.testing.rules import a_series, issues_of
        >>> issues_of(missing_device, a_series())
        []
        >>> issues_of(missing_device, a_series(has_manufacturer=False, has_model=False))
        ['no manufacturer and no model in the header']
        >>> issues_of(missing_device, a_series(has_model=False, identity_removed=True))
        ['no model in the header, which was de-identified']

    References:
        DICOM PS3.3 C.7.5.1 General Equipment Module: Manufacturer is Type 2, the model Type 3
        DICOM PS3.15 E.3.8 Retain Device Identity Option
    """
    if series.format != "dicom":
        return
    lacking = ["manufacturer"] * (not series.has_manufacturer) + ["model"] * (not series.has_model)
    if lacking:
        why = ", which was de-identified" if series.identity_removed else ""
        yield Issue(message=f"no {' and no '.join(lacking)} in the header{why}")
