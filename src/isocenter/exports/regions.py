"""Labels that overlap as one label map: a value for the labels that voxels have together, where that can be undone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from isocenter.base.errors import ConfigError
from isocenter.exports.target import Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Regions:
    """How labels that overlap share a label map.

    Args:
        values: The labels of a voxel, and the value that stands for them; values count from 1.
        of: Label -> the values that hold it.
        order: The labels, each to be written over those before it.
        last: Label -> the value that a voxel gets where it is the last of its labels in that order.
    """

    values: tuple[tuple[Labels, int], ...]
    of: dict[str, tuple[int, ...]]
    order: tuple[str, ...]
    last: dict[str, int]


def regions_of(labels: Sequence[str], found: Collection[Labels]) -> Regions:
    """A value for each set of labels that voxels have.

    A network tells of each region whether a voxel is in it; a label map is made of that by writing the regions one over
    the other. So each set must be known by its last label, in one order for all of them.

    Args:
        labels: All labels, in the order of their values.
        found: The sets that voxels have.

    Raises:
        ConfigError: there is no such order, or two labels cannot be told apart.
    """
    alone = [(name,) for name in labels if not any(name in names for names in found)]
    pending = {*found, *alone}
    order: list[str] = []
    owner: dict[str, Labels] = {}
    left = list(labels)
    while left:
        # from the last to the first: what is written last may be in one set only of those that are not yet settled
        free = [n for n in left if sum(n in names for names in pending) <= 1]
        if not free:
            several = sorted("+".join(names) for names in pending if len(names) > 1)
            raise ConfigError(
                f"the labels {', '.join(left)} overlap in ways that one label map cannot carry ({', '.join(several[:4])}):"
                " regions of nnU-Net may lie inside each other, and not overlap in part; export to monai or nifti, which"
                " have a mask for each label"
            )
        # one that settles a set before one that settles none: that one may come anywhere below
        name = max(free, key=lambda n: (any(n in names for names in pending), labels.index(n)))
        for names in [names for names in pending if name in names]:
            owner[name] = names
            pending.remove(names)
        order.insert(0, name)
        left.remove(name)
    return _numbered(labels, order, owner)


def _numbered(labels: Sequence[str], order: Sequence[str], owner: dict[str, Labels]) -> Regions:
    sets = sorted({*owner.values()}, key=lambda names: [labels.index(n) for n in names])
    values = {names: number for number, names in enumerate(sets, start=1)}
    of = {n: tuple(v for names, v in values.items() if n in names) for n in labels}
    for name in labels:
        if twin := next((n for n in labels if n != name and of[n] == of[name]), ""):
            raise ConfigError(
                f"the labels {name} and {twin} are always in the same voxels: nnU-Net cannot tell one from the other;"
                " export to monai or nifti, which have a mask for each label"
            )
    last = {n: values[owner[n]] if n in owner else min(of[n]) for n in order}
    return Regions(values=tuple(values.items()), of=of, order=tuple(order), last=last)
