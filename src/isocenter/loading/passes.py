"""Passes: which epoch a run goes on in the middle of, and whether an epoch is gone through a second time."""

from __future__ import annotations

import warnings
from collections.abc import Hashable

from isocenter.loading.shared import SharedFile


class Resumed:
    """The epoch that is gone on with: the first one that anybody begins, told to all processes.

    A loader is often made before `set_epoch`, and workers may live for one epoch only; so whoever is first notes it
    where all of them look.
    """

    def __init__(self) -> None:
        self._file = SharedFile()
        self._known: int | None = None

    @property
    def epoch(self) -> int | None:
        """The epoch; None while none has begun."""
        if self._known is None:
            text = self._file.path.read_text(encoding="ascii")
            self._known = int(text) if text else None
        return self._known

    def begin(self, epoch: int) -> None:
        """Make it this one, where none has begun before; workers that begin together begin the same one."""
        if self.epoch is None:
            self._file.path.write_text(str(epoch), encoding="ascii")
            self._known = epoch


class Passes:
    """Passes through one epoch that came to their end, so that a second one like them is told, once."""

    def __init__(self) -> None:
        self._epoch: int | None = None
        self._ended: set[Hashable] = set()
        self._is_told = False

    def begin(self, epoch: int, kind: Hashable) -> None:
        """Warn where a pass of this kind through the same epoch has ended before."""
        if epoch == self._epoch and kind in self._ended and not self._is_told:
            self._is_told = True
            warnings.warn(
                f"epoch {epoch} is gone through again: every patch and every augmentation is what it was; call"
                " set_epoch of the data set with another number before each epoch",
                stacklevel=2,
            )

    def end(self, epoch: int, kind: Hashable) -> None:
        """Note that a pass has ended."""
        if epoch != self._epoch:
            self._epoch, self._ended = epoch, set()
        self._ended.add(kind)
