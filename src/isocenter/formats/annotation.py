"""The promise of an annotation format: what is in a file, and the annotations themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from isocenter.base.files import Signature
from isocenter.base.plugins import Plugins
from isocenter.model.annotation import Annotation, Part


class AnnotationFormat(Protocol):
    """One annotation file format, as a plain module.

    Contract:
        * `parts` gives every key in the file (ROI number, segment, mask value) with its free-text name and what else
          the file says of it; `names` the keys and names alone.
        * `read` gives one annotation per wanted key, in the order of the keys; a key that is named in the
          file but holds nothing comes back as *absent*, a key that is not in the file is left out.
        * A mask keeps its own grid; contours keep their millimetres: nothing is resampled while reading.
        * What cannot be read raises `FormatError`; nothing of the file's text is in the message.
        * `SHAPES` says what a file can hold: mask, contours, boxes, points.
        * `read` compares every file that it opens with what is expected of it; another one is `file/changed`.
    """

    SHAPES: tuple[str, ...]

    def names(self, path: Path) -> dict[int, str]:
        """Keys of the file and the names they go by."""

    def parts(self, path: Path) -> tuple[Part, ...]:
        """What is in the file, in the order of the keys."""

    def read(
        self,
        path: Path,
        wanted: Mapping[int, str],
        *,
        annotation_id: str,
        rater: str,
        expected: Signature | None = None,
    ) -> tuple[Annotation, ...]:
        """Annotations of the wanted keys.

        Args:
            path: The file.
            wanted: The concept that each key stands for.
            annotation_id: Id of the annotation.
            rater: Who marked it.
            expected: What the file was when it was indexed, None where nobody knows.
        """


ANNOTATIONS: Plugins[AnnotationFormat] = Plugins("isocenter.formats.annotations")
