"""Objects found twice: the same one (one copy is used), or two that claim one name (none is)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from isocenter.base.digests import digest_of_file
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.rows import FileRow


def find_duplicates(
    objects: Iterable[tuple[str, str]], files: Mapping[str, FileRow], path_of: Mapping[str, Path]
) -> list[Issue]:
    """Issues on the files that must not be used.

    Args:
        objects: (SOP Instance UID, file id) of every DICOM object.
        files: Rows by file id.
        path_of: Paths by file id; read only where one UID occurs twice.
    """
    by_uid: dict[str, list[str]] = {}
    for uid, file_id in objects:
        by_uid.setdefault(uid, []).append(file_id)
    out = []
    for _, twins in sorted(by_uid.items()):
        if len(twins) > 1:
            out.extend(_judge(sorted(twins, key=lambda f: (files[f].source, files[f].path)), path_of))
    return out


def _judge(twins: list[str], path_of: Mapping[str, Path]) -> list[Issue]:
    try:
        contents = {digest_of_file(path_of[t]) for t in twins}
    except OSError:
        contents = set()
    if len(contents) == 1:
        return [
            because("index/duplicate-object", target=t, measured=f"{len(twins)} copies", expected="1")
            for t in twins[1:]
        ]
    measured = f"{len(contents)} different contents" if contents else "unreadable"
    return [
        because("index/conflicting-object", target=t, measured=measured, expected="1 content") for t in twins
    ]
