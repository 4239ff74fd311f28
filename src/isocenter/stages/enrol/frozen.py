"""Frozen: what the first plan decides for all later ones: the number of shards and the median spacing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from isocenter.base.digests import digest_of
from isocenter.base.files import read_json, write_json
from isocenter.model.rows import PlannedCase
from isocenter.stages.enrol.candidates import Draft
from isocenter.stages.enrol.options import EnrolOptions
from isocenter.stages.enrol.plan import median_spacing, shard_count


class Frozen:
    """The numbers that stay as they were when a cohort grows, so that old records stay as they are.

    They live in a file of their own: a run that is killed takes back its mark, and must not lose them. The
    median belongs to one reference channel; where that is chosen otherwise, it is taken anew.

    Args:
        path: The file.
        options: Wanted spacing, number and size of shards, reference channel.
    """

    def __init__(self, path: Path, options: EnrolOptions) -> None:
        self._path = path
        self._options = options
        self._known: dict[str, Any] = read_json(path) if path.exists() else {}
        reference = options.contract.reference
        self._of = digest_of([reference, options.contract.channels[reference]])

    def spacing_mm(self, drafts: Sequence[Draft], held_out: set[str]) -> tuple[float, ...]:
        """Target spacing (k, j, i); () for native; the median is that of the first plan that had cases."""
        wanted = self._options.spacing
        if not isinstance(wanted, str):
            each = (wanted,) if isinstance(wanted, float | int) else wanted
            return tuple(float(v) for v in each) * (3 // len(each))
        if wanted == "native":
            return ()
        median = self._median_mm(drafts, held_out)
        return (min(median),) * 3 if median and wanted == "isotropic" else median

    def _median_mm(self, drafts: Sequence[Draft], held_out: set[str]) -> tuple[float, ...]:
        known = self._known.get("median") or {}
        if known.get("of") == self._of:
            return tuple(known["spacing"])
        spacing = median_spacing(drafts, self._options.contract.reference, held_out)
        if spacing:
            self._known["median"] = {"of": self._of, "spacing": list(spacing)}
        return spacing

    def shards(self, cases: Sequence[PlannedCase]) -> int:
        """Number of shards: the config's, else that of the first plan that had something to build."""
        store = self._options.store
        known = store.shards or self._known.get("shards")
        count = int(known) if known else shard_count(cases, store.shard_bytes)
        if any(c.is_to_build and c.bytes_estimated for c in cases):
            self._known["shards"] = count
        return count

    def keep(self) -> None:
        """Write the numbers down."""
        write_json(self._path, self._known)
