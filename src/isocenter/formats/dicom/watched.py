"""A header whose sequences are parsed with an eye on the clock: the parser itself has no end to its patience."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_sequence

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.header import Header

_READS_BETWEEN_LOOKS = 256


class WatchedHeader(Header):
    """A header that is given up when its time is over, also in the middle of a sequence.

    Args:
        dataset: The data set.
        refuse_late: Raises when the time is over.
    """

    def __init__(self, dataset: Any, refuse_late: Callable[[], None]) -> None:
        super().__init__(dataset)
        self._refuse_late = refuse_late

    def sequence(self, keyword: str) -> list[Header]:
        """The items of a sequence."""
        element = self.dataset.get_item(keyword)
        if isinstance(element, RawDataElement) and isinstance(element.value, bytes) and _is_sequence(element):
            items = self._parse(keyword, element)
        else:
            value = self._get(keyword)
            items = value if isinstance(value, pydicom.Sequence) else []
        return [WatchedHeader(item, self._refuse_late) for item in items]

    def _parse(self, keyword: str, element: RawDataElement) -> Any:
        """What the parser makes of a sequence of stated length, which it leaves alone until it is asked for."""
        file = _Watched(element.value or b"", self._refuse_late)
        encodings = self.dataset.original_character_set or pydicom.charset.default_encoding
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return read_sequence(
                    file, element.is_implicit_VR, element.is_little_endian, file.size, encodings
                )
        except Exception:  # noqa: BLE001 - pydicom raises many types while it parses a damaged sequence
            if file.refusal is not None:
                raise file.refusal from None
            self._note(keyword)
            return []


class _Watched(io.BytesIO):
    """Bytes in memory; what is raised at a look at the clock is kept, for the parser may make another error of it."""

    def __init__(self, data: bytes, refuse_late: Callable[[], None]) -> None:
        super().__init__(data)
        self.size = len(data)
        self.refusal: FormatError | None = None
        self._refuse_late, self._reads = refuse_late, 0

    def read(self, count: int | None = -1) -> bytes:
        self._reads += 1
        if self._reads % _READS_BETWEEN_LOOKS == 0:
            try:
                self._refuse_late()
            except FormatError as error:
                self.refusal = error
                raise
        return super().read(count)


def _is_sequence(element: RawDataElement) -> bool:
    vr: str = element.VR or pydicom.datadict.dictionary_VR(element.tag)
    return vr == "SQ"
