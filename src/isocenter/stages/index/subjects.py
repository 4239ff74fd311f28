"""Whose file it is: the subject and the centre by tag, path pattern or table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from isocenter.base.pseudonyms import Pseudonyms
from isocenter.base.templates import Template
from isocenter.stages.index.options import Source

# Words that name nobody: one ID for everybody. ANON-0017 may well be one person.
_DUMMY = re.compile(
    r"((anon|test)[a-z]*([\W_]*(patient|subject|case))?[\W_]*0*|none|null|unknown|patient|xxx+|n/?a|no[_ ]?id|default"
    r"|\?+|-+)",
    re.IGNORECASE,
)
# Numbers that name nobody in a Patient ID; a folder or a row of a table may well be called 1.
_DUMMY_NUMBER = re.compile(r"0+|1")


@dataclass(frozen=True, slots=True)
class Identity:
    """A subject as found: the pseudonym ("" where nobody is named), the centre, and whether the ID is a dummy."""

    subject: str
    site: str
    is_dummy: bool
    timepoint: str = ""


class Named(Protocol):
    """What a header says of whose it is: an image, an annotation object, or their columns."""

    @property
    def patient_id(self) -> str | None:
        """Patient ID."""

    @property
    def patient_id_issuer(self) -> str | None:
        """Issuer of Patient ID."""

    @property
    def patient_name(self) -> str | None:
        """Patient's Name."""

    @property
    def study_uid(self) -> str | None:
        """Study Instance UID."""


class SubjectFinder:
    """Finds the subject of the files of one source.

    Args:
        source: The source's options.
        names: The workspace's pseudonyms.
        table: Key to subject, where the source names a table.
    """

    def __init__(self, source: Source, names: Pseudonyms, table: dict[str, str] | None) -> None:
        self._source = source
        self._names = names
        self._table = table
        self._patterns = [Template(p) for p in source.subject.pattern]
        self._made: dict[tuple[str, str, str, str, bool], Identity] = {}

    @property
    def is_by_path(self) -> bool:
        """Whether the path of a file decides, not its header."""
        return bool(self._patterns)

    @property
    def tag(self) -> str:
        """The attribute that decides, where it is one."""
        return "" if self._patterns else self._source.subject.tag

    @property
    def trusts_headers(self) -> bool:
        """Whether a person is whom the header names: no pattern and no table says otherwise."""
        return self.tag in {"PatientID", "PatientName"} and self._table is None

    def find(self, path: str, row: Named | None, given: str = "") -> Identity:
        """The identity of one file; `given` is what the source's layout says."""
        raw, issuer, site, timepoint = given, "", self._source.site, ""
        if not raw and self._patterns:
            parts = next((m for t in self._patterns if (m := t.match(path))), {})
            raw, site, timepoint = (
                parts.get("subject", ""),
                parts.get("site", site),
                parts.get("timepoint", ""),
            )
        elif not raw and row is not None:
            raw, issuer = self._by_tag(row)
        key = (raw, issuer, site, timepoint, not given and not self._patterns)
        known = self._made.get(key)
        if known is None:
            known = self._made[key] = self._identity(*key)
        return known

    def _identity(self, raw: str, issuer: str, site: str, timepoint: str, is_tag: bool) -> Identity:
        is_nobody = is_dummy(raw.strip(), is_tag=is_tag)
        if raw and self._table is not None:
            raw, issuer = self._table.get(raw.strip(), ""), ""
        if not raw:
            return Identity("", site, is_dummy=False)
        return Identity(self._names.of("sub", issuer, raw, site), site, is_nobody, timepoint)

    def _by_tag(self, row: Named) -> tuple[str, str]:
        tag = self._source.subject.tag
        if tag == "PatientID":
            return row.patient_id or "", row.patient_id_issuer or ""
        if tag == "StudyInstanceUID":
            return row.study_uid or "", ""
        return (row.patient_name or "" if tag == "PatientName" else ""), ""


def is_dummy(raw: str, *, is_tag: bool) -> bool:
    """Whether a name is a placeholder that many people share; numbers are, where they stand in a Patient ID."""
    return bool(_DUMMY.fullmatch(raw)) or (is_tag and bool(_DUMMY_NUMBER.fullmatch(raw)))
