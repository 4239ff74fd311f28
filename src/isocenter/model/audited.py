"""AuditedSplit: a split with what is known of every image in it, for rules that look for leaks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from isocenter.model.descriptor_rows import Pair
from isocenter.model.split import UNUSED, Split


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedImage:
    """One image of a split data set, or one slice where the data set counts slices.

    Empty fields are not known. `partition` is "" where the image is in none; `studies` are
    those its channels come from, `volumes` what its slices are slices of, and `is_volume_guessed` says that only the names of files told so; `date` is YYYY-MM-DD; `facts`
    are what the scanner says of itself, by name; `left_out` is the reason why the image is not used.
    """

    id: str
    subject: str
    partition: str = ""
    site: str = ""
    studies: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    is_volume_guessed: bool = False
    digest: str = ""
    date: str = ""
    labels: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    left_out: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedOn:
    """What statistics were fitted on: how many cases, how many the training part has, whether they are those."""

    name: str
    cases: int
    training: int
    is_training: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedSplit:
    """One split and all that is known of its images.

    Args:
        split: Who is where.
        images: Every image, also those that were left out.
        twins: Pairs of images that show the same.
        fitted: What was fitted, and on what.
        is_independent: Whether the test part is said to come from centres of its own.
        is_temporal: Whether the test part is said to be later than the training part.
    """

    split: Split
    images: tuple[AuditedImage, ...] = ()
    twins: tuple[Pair, ...] = ()
    fitted: tuple[FittedOn, ...] = ()
    is_independent: bool = False
    is_temporal: bool = False

    @property
    def id(self) -> str:
        """Name of the split."""
        return self.split.id

    @property
    def used(self) -> tuple[AuditedImage, ...]:
        """The images that are in the split."""
        return tuple(i for i in self.images if not i.left_out and i.partition not in UNUSED)


def sharing(
    images: Iterable[AuditedImage], keys: Callable[[AuditedImage], Iterable[str]]
) -> list[tuple[AuditedImage, ...]]:
    """Images that share one of their keys, two or more, in the order of their ids; "" is shared by none.

    Those that share several keys are one group.
    """
    found: dict[str, list[AuditedImage]] = defaultdict(list)
    for image in images:
        for key in dict.fromkeys(keys(image)):
            if key:
                found[key].append(image)
    groups = [tuple(sorted(g, key=lambda i: i.id)) for g in found.values() if len(g) > 1]
    return sorted(dict.fromkeys(groups), key=lambda g: [i.id for i in g])


def partitions_of(images: Iterable[AuditedImage]) -> set[str]:
    """The partitions that some images are in; those in reserve are in none."""
    return {i.partition for i in images if i.partition not in UNUSED}


def places_of(images: Iterable[AuditedImage]) -> str:
    """Who is where: "a in train, b in test", a few of them."""
    return listed(sorted({f"{i.subject} in {i.partition or 'no partition'}" for i in images}))


def listed(texts: Sequence[str], most: int = 6) -> str:
    """Some texts as one, the rest counted."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
