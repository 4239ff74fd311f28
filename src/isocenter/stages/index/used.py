"""Used images: the question, in SQL, which instances make series."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from functools import cache

from isocenter.formats.image import FORMATS

# A DICOM file that was refused; where its header could be read, an instance holds its identity.
REFUSED = "dicom-unreadable"
# What makes instances one series, beside centre and format: the series UID, or the file where there is none.
SERIES_KEY = "coalesce(nullif(i.series_uid, ''), i.file_id)"


@cache
def kinds_of_images() -> frozenset[str]:
    """Kinds of files that hold images."""
    return frozenset({"dicom-image", *FORMATS.names()} - {"dicom"})


@cache
def image_kinds() -> str:
    """Kinds of files that hold images, as a list of SQL."""
    return quoted(kinds_of_images())


def quoted(texts: AbstractSet[str]) -> str:
    """Texts as a list of SQL."""
    return ", ".join("'" + t.replace("'", "''") + "'" for t in sorted(texts))


def used_images(columns: str, *, joined: str = "") -> str:
    """A question for columns of the instances (i) of images that nothing keeps from being used."""
    return (
        f"SELECT {columns} FROM instances i ANTI JOIN told t ON t.target = i.file_id"
        f" ANTI JOIN dropped d ON d.file_id = i.file_id {joined} WHERE i.kind IN ({image_kinds()})"
    )
