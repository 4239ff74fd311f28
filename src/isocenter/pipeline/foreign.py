"""Data sets that others divided: their images and who is where, whatever layout they came in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from isocenter.base.errors import ConfigError
from isocenter.base.templates import Template
from isocenter.model.audited import AuditedImage, AuditedSplit, FittedOn
from isocenter.model.descriptor_rows import Pair
from isocenter.model.issue import Issue
from isocenter.model.split import Split, SplitRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignImage:
    """One image as a data set names it, with what its tables say of it.

    `path` is where it should be, None where the data set does not say; `mask` is a file whose values tell the
    labels, `values` what they stand for. The rest is as in `AuditedImage`.
    """

    id: str
    subject: str
    case: str = ""
    path: Path | None = None
    mask: Path | None = None
    values: tuple[tuple[int, str], ...] = ()
    site: str = ""
    group: str = ""
    study: str = ""
    volume: str = ""
    is_volume_guessed: bool = False
    digest: str = ""
    date: str = ""
    labels: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    left_out: str = ""
    is_external: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignSplit:
    """One split of a data set: the partitions it wants, and (image id, partition) for every image in it.

    `fitted` holds what was fitted on more cases than the training part has, and on how many. An equal number would
    not prove that they are the same cases, so nothing is said of it.
    """

    name: str
    partitions: tuple[str, ...]
    places: tuple[tuple[str, str], ...]
    fitted: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignSet:
    """A data set: its images by id, its splits, and what is to be said of how it was read.

    `lost` counts participants or cases that should have an image and have none; `issues` is what its own files tell.
    """

    images: Mapping[str, ForeignImage]
    splits: tuple[ForeignSplit, ...]
    notes: tuple[str, ...] = ()
    lost: int = 0
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What looking into the files told of an image; empty where nothing is known."""

    digest: str = ""
    study: str = ""
    volume: str = ""
    labels: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = field(default=())


def audited_splits(
    found: ForeignSet,
    seen: Mapping[str, Seen],
    pairs: Iterable[Pair],
    *,
    is_independent: bool,
    is_temporal: bool,
) -> list[AuditedSplit]:
    """The splits of a data set with all that is known of their images."""
    twins = tuple(pairs)
    return [_audited(found, split, seen, twins, is_independent, is_temporal) for split in found.splits]


def _audited(
    found: ForeignSet,
    split: ForeignSplit,
    seen: Mapping[str, Seen],
    twins: tuple[Pair, ...],
    is_independent: bool,
    is_temporal: bool,
) -> AuditedSplit:
    images = [
        _image(found.images[name], partition, seen.get(name, Seen())) for name, partition in split.places
    ]
    rows = _rows(
        [(found.images[n], i) for (n, _), i in zip(split.places, images, strict=True) if not i.left_out]
    )
    names = [*split.partitions, *sorted({r.partition for r in rows if r.partition} - set(split.partitions))]
    aims = dict.fromkeys(names, 1 / max(1, len(names)))  # every part is wanted; how much of it is not known
    here = {name for name, _ in split.places}
    training = len({found.images[n].case or n for n, partition in split.places if partition == "train"})
    return AuditedSplit(
        split=Split(strategy="foreign", seed=0, fractions=aims, rows=rows, id=split.name),
        images=tuple(images),
        twins=tuple(t for t in twins if {t.a, t.b} <= here),
        fitted=tuple(
            FittedOn(name=name, cases=cases, training=training, is_training=False)
            for name, cases in split.fitted
        ),
        is_independent=is_independent,
        is_temporal=is_temporal,
    )


def _image(image: ForeignImage, partition: str, seen: Seen) -> AuditedImage:
    return AuditedImage(
        id=image.id,
        subject=image.subject,
        partition=partition,
        site=image.site,
        studies=_known(image.study or seen.study),
        volumes=_known(
            seen.volume or image.volume if image.is_volume_guessed else image.volume or seen.volume
        ),
        is_volume_guessed=image.is_volume_guessed and not seen.volume,
        digest=seen.digest or image.digest,
        date=image.date,
        labels=tuple(sorted({*image.labels, *seen.labels})),
        facts=tuple(sorted({**dict(seen.facts), **dict(image.facts)}.items())),
        left_out=image.left_out,
    )


def _known(name: str) -> tuple[str, ...]:
    return (name,) if name else ()


def _rows(images: Iterable[tuple[ForeignImage, AuditedImage]]) -> tuple[SplitRow, ...]:
    """One row per subject and partition."""
    merged: dict[tuple[str, str], list[tuple[ForeignImage, AuditedImage]]] = defaultdict(list)
    for image, audited in images:
        merged[image.subject, audited.partition].append((image, audited))
    return tuple(
        SplitRow(
            subject=subject,
            site="+".join(sorted({i.site for i, _ in found if i.site})),
            group=next((i.group for i, _ in found if i.group), ""),
            labels=tuple(sorted({label for _, a in found for label in a.labels})),
            cases=tuple(sorted({i.case for i, _ in found if i.case})),
            partition=partition,
            is_external=any(i.is_external for i, _ in found),
        )
        for (subject, partition), found in sorted(merged.items())
    )


class SubjectOf:
    """Finds the subject in a name of a data set by a template such as `{subject}_{visit}`.

    Args:
        pattern: The template; it is matched with the whole name.

    Raises:
        ConfigError: it has no part {subject}.
    """

    def __init__(self, pattern: str) -> None:
        self._template = Template(pattern)
        if "subject" not in self._template.names:
            raise ConfigError(f"the pattern {pattern!r} needs the named part {{subject}}")

    def __call__(self, name: str) -> str:
        """The subject of a name.

        Raises:
            ConfigError: the pattern does not fit.
        """
        parts = self._template.match(name)
        if parts is None:
            raise ConfigError(f"the subject pattern {self._template.text!r} does not fit the case {name!r}")
        return parts["subject"]
