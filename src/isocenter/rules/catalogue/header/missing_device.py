"""header/missing-device."""

from __future__ import annotations

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Series
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.7.5.1")
def missing_device(series: Series) -> Issues:
    """The header does not say which device made the image.

    Why it matters:
        Scanners differ, and a data set whose scanners are unknown cannot be balanced or tested for them.
        But de-identification removes the device unless told to keep it, so a rule that drops such series
        drops whole centres that were cleaned properly. They go to review, and form a stratum of their own:
        "device unknown". Where only one of the two is missing, it is noted.

    What to do:
        Ask the centre to de-identify with the Retain Device Identity Option. To accept the stratum, set
        `screen.severity` of `header/missing-device` to note; to drop it, to reject, after looking at what
        that costs.

    Examples:
        >>> from isocenter.testing.rules import a_series, issues_of
        >>> issues_of(missing_device, a_series())
        []
        >>> issues_of(missing_device, a_series(has_manufacturer=False, has_model=False))
        ['device unknown: no manufacturer and no model in the header; accept by screen.severity: note']
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
        is_unknown = len(lacking) == 2
        why = ", which was de-identified" if series.identity_removed else ""
        what = f"no {' and no '.join(lacking)} in the header{why}"
        yield Issue(
            message=f"device unknown: {what}; accept by screen.severity: note" if is_unknown else what,
            severity=None if is_unknown else Severity.NOTE,
            measured="device unknown" if is_unknown else "",
        )
