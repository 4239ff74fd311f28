"""The promise of a training framework: samples in the shape that its loaders take."""

from __future__ import annotations

from typing import Any, Protocol

from isocenter.base.plugins import Plugins
from isocenter.loading.samples import Samples


class Framework(Protocol):
    """A training framework: a module with this name.

    Contract:
        * The data set has a length, and an index from 0 gives the sample of that number as a dict.
        * `set_epoch(e)` changes what every later sample is drawn from, in running workers too.
        * `order()` gives the numbers of an epoch's samples by lot, as `isocenter.loading.epochs` has it, and `skipped` what
          could not be read: the same in every framework.
        * `samples` is what it wraps: channel names, labels, cases, what was left out.
        * It is picklable; values are those of `Samples.sample`, in the framework's own arrays and, where it has another
          order of axes, turned (see `isocenter.loading.turned`). What it cannot carry is left out and its docs say so.
        * A module that turns axes says so: `AXES = "ijk"`; without it they are those of the store.
    """

    def wrap(self, samples: Samples) -> Any:
        """A data set of the framework."""


FRAMEWORKS: Plugins[Framework] = Plugins("isocenter.loading.frameworks")
