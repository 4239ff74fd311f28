"""Columns of tables that others wrote: which of them is the subject, the partition, the file, ..."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from isocenter.base.errors import ConfigError
from isocenter.base.plugins import did_you_mean

# What a table may call each thing, the likeliest first; case and punctuation are no matter.
ALIASES: dict[str, tuple[str, ...]] = {
    "subject": (
        "subject",
        "subject_id",
        "patient",
        "patient_id",
        "patientid",
        "participant_id",
        "participant",
    ),
    "partition": ("partition", "split", "set", "subset"),
    "fold": ("fold",),
    "path": (
        "path",
        "file",
        "image",
        "image_path",
        "filepath",
        "file_path",
        "filename",
        "file_name",
        "image_index",
    ),
    "case": ("case", "case_id"),
    "site": ("site", "site_id", "centre", "center", "institution_id", "institution", "hospital"),
    "group": ("group", "family"),
    "labels": ("labels", "label", "finding_labels"),
    "study": ("study", "study_uid", "study_instance_uid", "studyinstanceuid"),
    "volume": ("volume", "series", "series_uid", "series_instance_uid", "seriesinstanceuid"),
    "digest": ("digest", "sha256", "md5", "hash"),
    "date": ("date", "study_date", "scan_date", "date_of_scan", "acq_time", "acquisition_date"),
    "external": ("external", "is_external"),
    "left_out": ("left_out", "excluded"),
}
# What scanners say of themselves; sex and age are the patient's and no shortcut of the scanner.
FACTS = (
    "manufacturer", "manufacturers_model_name", "model", "scanner", "software_versions", "receive_coil_name",
    "field_strength", "field_strength_t", "magnetic_field_strength", "kernel", "convolution_kernel", "kvp",
    "protocol", "slice_thickness", "slice_thickness_mm", "view_position", "echo_time", "repetition_time",
)  # fmt: skip
_NO = {"", "0", "no", "false", "n/a", "na", "n"}


def plain(name: str) -> str:
    """A column's name in small letters and underlines."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def roles_of(header: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """The column of each role that the table has one for.

    Args:
        header: Names of the columns.
        given: Columns that were named for a role; they come first.

    Raises:
        ConfigError: a role or a column does not exist.
    """
    for role, column in given.items():
        if role not in ALIASES:
            raise ConfigError(f"there is no role {role!r}{did_you_mean(role, list(ALIASES))}")
        if column not in header:
            raise ConfigError(f"the table has no column {column!r}{did_you_mean(column, list(header))}")
    own = {plain(name): name for name in reversed(header)}
    found = {r: own[a] for r, aliases in ALIASES.items() for a in reversed(aliases) if a in own}
    return found | dict(given)


def facts_columns(header: Iterable[str], metadata: Sequence[str]) -> dict[str, str]:
    """Columns of what a scanner says of itself, by plain name: the usual ones, and those that were named.

    Raises:
        ConfigError: a column does not exist.
    """
    names = list(header)
    for column in metadata:
        if column not in names:
            raise ConfigError(f"the table has no column {column!r}{did_you_mean(column, names)}")
    return {plain(n): n for n in names if plain(n) in FACTS or n in metadata}


def cell(row: Mapping[str, str], column: str | None) -> str:
    """The value of a column, "" where there is none or the table says n/a."""
    value = row.get(column, "") if column else ""
    return "" if value.lower() == "n/a" else value


def is_yes(value: str) -> bool:
    """Whether a cell says yes."""
    return value.lower() not in _NO
