"""Samples as TorchIO subjects, whose images are read from the store when they are first looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torchio
from numpy.typing import NDArray
from torch import Tensor, int64, zeros

from isocenter.base.errors import ConfigError
from isocenter.loading.epochs import Epochs
from isocenter.loading.samples import Samples
from isocenter.loading.turned import VOLUMES, turned
from isocenter.model.task import Task
from isocenter.stores.manifest import NAME

AXES = "ijk"
"""The order of its axes, which is not that of the store."""


class TorchioDataset(Epochs, torchio.SubjectsDataset):  # type: ignore[misc]
    """A `SubjectsDataset`: for `torchio.Queue` and `torchio.SubjectsLoader`, and with any TorchIO transform.

    An index gives a subject that is read, and transformed where there is a transform. `dry_iter()` gives subjects of
    which no voxel is read until an image of theirs is looked at; so does an index with `load_getitem=False`. Images
    are views (C, I, J, K) of the stored order with the affine in RAS+. Only `image` is a `ScalarImage`; the rest are
    label maps, so that no transform changes or mixes their values. There are no boxes or points, as TorchIO would
    move the images and leave them behind.

    Args:
        samples: What is drawn from.
        transform: A TorchIO transform; `set_transform` sets another.
        load_getitem: Whether an index reads all images of a subject.

    Raises:
        ConfigError: the task is detection.
    """

    def __init__(
        self, samples: Samples, transform: Callable[[Any], Any] | None = None, *, load_getitem: bool = True
    ) -> None:
        if samples.store.manifest.task.task is Task.DETECTION:
            raise ConfigError(
                "framework: torchio moves images but no boxes: use torch or monai for detection"
            )
        self.samples = samples
        # In shared memory, so that workers which outlive an epoch see the next one.
        self._epoch = zeros((), dtype=int64)
        self._epoch.share_memory_()  # type: ignore[no-untyped-call]
        super().__init__(_Subjects(samples, self._epoch), transform, load_getitem)

    @property
    def epoch(self) -> int:
        """The epoch that samples are drawn for."""
        return int(self._epoch)

    def set_epoch(self, epoch: int) -> None:
        """Draw later samples for another epoch, in running workers too."""
        self._epoch.fill_(epoch)

    def __getitem__(self, index: int) -> Any:
        if self.load_getitem:
            subject = _whole(self.samples, int(index), self.epoch)
        else:
            subject = self._subjects[int(index)]
        return subject if self._transform is None else self._transform(subject)

    @staticmethod
    def _parse_subjects_list(subjects_list: Iterable[Any]) -> None:
        """TorchIO would make every subject once, to see that it is one."""


def wrap(samples: Samples) -> TorchioDataset:
    """A data set of TorchIO subjects."""
    return TorchioDataset(samples)


class _Subjects(Sequence[Any]):
    """Subjects, each made when it is asked for and read when it is looked at."""

    def __init__(self, samples: Samples, epoch: Tensor) -> None:
        self._samples, self._epoch = samples, epoch

    def __len__(self) -> int:
        return len(self._samples)

    def __iter__(self) -> Iterator[Any]:
        return (self[n] for n in range(len(self)))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"subject {index} of {len(self)}")
        return _lazy(self._samples, int(index) % len(self), int(self._epoch))


class _Reading:
    """Reads a sample once for all images of one subject; what was handed out is not kept a second time."""

    def __init__(self, samples: Samples, index: int, epoch: int, case: str) -> None:
        self._samples, self._index, self._epoch, self._case = samples, index, epoch, case
        self._read: dict[str, Any] = {}

    def of(self, name: str) -> Callable[[Any], tuple[NDArray[Any], NDArray[np.float64]]]:
        """The reader of one image."""
        return _Reader(self, name)

    def take(self, name: str) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """One volume (C, I, J, K), and its affine."""
        if name not in self._read:
            self._read = turned(self._samples.sample(self._index, self._epoch))
            if self._read["case"] != self._case:
                raise RuntimeError(f"case {self._case} cannot be read; another would take its place")
        return self._read.pop(name), self._read["affine"]


class _Reader:
    """Reads one image of a subject; TorchIO calls it with a path and copies it with the subject."""

    def __init__(self, reading: _Reading, name: str) -> None:
        self._reading, self._name = reading, name

    def __call__(self, _path: Any) -> tuple[NDArray[Any], NDArray[np.float64]]:
        return self._reading.take(self._name)

    def __deepcopy__(self, memory: Any) -> _Reader:
        """A copied subject reads by the same reader: a copy of it would copy the index of the whole data set."""
        return self


def _whole(samples: Samples, index: int, epoch: int) -> Any:
    """A subject that is read."""
    sample = turned(samples.sample(index, epoch))
    affine = sample.pop("affine")
    images = {n: _image(n, tensor=sample.pop(n), affine=affine) for n in sorted(VOLUMES & sample.keys())}
    return torchio.Subject(images | {n: v for n, v in sample.items() if not n.startswith(("box", "point"))})


def _lazy(samples: Samples, index: int, epoch: int) -> Any:
    """A subject that is not read, with what is known of its case without reading."""
    case, chosen = samples.case_at(index), samples.selection
    case_id = str(chosen.ids[case])
    reading = _Reading(samples, index, epoch, case_id)
    path = (
        samples.store.path / NAME
    )  # TorchIO wants a file that is there; all of the store is behind this one
    images = {name: _image(name, path=path, reader=reading.of(name)) for name in _volumes(samples, case_id)}
    about = {"case": case_id, "subject": str(chosen.subjects[case]), "labels": chosen.states[case].copy()}
    return torchio.Subject(images | about)


def _volumes(samples: Samples, case_id: str) -> list[str]:
    """Names of the volumes that a sample of the case has."""
    task = samples.store.manifest.task.task
    is_there = {
        "image": True,
        "instances": "instances" in samples.store.arrays(case_id),
        "loss_mask": task is not Task.CLASSIFICATION,
        "mask": task is Task.SEGMENTATION,
        "soft": samples.is_soft,
        "valid": True,
    }
    return [name for name, is_in in is_there.items() if is_in]


def _image(name: str, **given: Any) -> Any:
    return (torchio.ScalarImage if name == "image" else torchio.LabelMap)(**given)
