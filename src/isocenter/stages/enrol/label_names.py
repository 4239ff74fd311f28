"""Label names: what the values of label maps stand for, by a table beside them or one for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from isocenter.base.errors import ConfigError, FormatError
from isocenter.base.files import located
from isocenter.base.templates import Template
from isocenter.formats.label_table import read_label_table
from isocenter.model.annotation import Part
from isocenter.model.rows import FileRow
from isocenter.stages.enrol.options import AnnotationSource


class LabelNames:
    """The label tables of one origin of masks.

    Args:
        source: What the config says of it.
        base: Folder that a file of the config starts from.
        roots: Folders of the sources, by number.
        files: All files.

    Raises:
        ConfigError: the one table for all cannot be read.
    """

    def __init__(
        self, source: AnnotationSource, base: Path, roots: tuple[Path, ...], files: Mapping[str, FileRow]
    ) -> None:
        self._source = source
        self._whole: tuple[Part, ...] | None = None
        self._files: dict[tuple[int | str, ...], list[Path]] = {}
        if not source.has_names_by_path:
            try:
                self._whole = read_label_table(base / source.names)
            except FormatError as error:
                raise ConfigError(f"annotations[].names: {error.message}") from None
            return
        for row, path in tables_of(source, roots, files):
            parts = Template(source.names).match(row.path) or {}
            self._files.setdefault((row.source, *(parts[n] for n in self._shared)), []).append(path)

    @property
    def _shared(self) -> list[str]:
        names = Template(self._source.names).names
        return [n for n in Template(self._source.path).names if n in names]

    def of(self, source: int, parts: Mapping[str, str]) -> tuple[Part, ...]:
        """What the values of one mask stand for.

        Args:
            source: Number of the source that the mask is in.
            parts: The named parts of its path.

        Raises:
            FormatError: there is no table beside it, more than one, or one that cannot be read.
        """
        if self._whole is not None:
            return self._whole
        found = self._files.get((source, *(parts[n] for n in self._shared)), [])
        if len(found) != 1:
            raise FormatError(
                "enrol/unreadable-annotation", "a mask has no label table, or several", measured=len(found)
            )
        return read_label_table(found[0])


def tables_of(
    source: AnnotationSource, roots: tuple[Path, ...], files: Mapping[str, FileRow]
) -> Iterator[tuple[FileRow, Path]]:
    """Label tables that lie beside masks."""
    template = Template(source.names)
    for row in files.values():
        if template.match(row.path) is not None:
            yield row, located(roots[row.source], row.path)
