"""Guesses path templates from file names: which files are images, which masks, and what they share."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that say what a file is; everything else in a name is taken for whom or what it is about.
_MASK = _words("""label labels labelstr labelsts mask masks seg segs segmentation segmentations gt groundtruth manual
    roi rois contour contours tumor tumour lesion lesions annotation annotations delineation""")
_IMAGE = _words("""image images imagestr imagests img imgs scan scans volume volumes vol data dicom nifti nii raw
    orig original""")
_MODALITY = {
    **dict.fromkeys(("ct", "cta", "cbct", "ncct"), "CT"),
    **dict.fromkeys(("pet", "pt", "suv"), "PT"),
    **dict.fromkeys(
        ("mr", "mri", "t1", "t1w", "t1c", "t1ce", "t1gd", "t1n", "t2", "t2w", "t2f", "flair"), "MR"
    ),
    **dict.fromkeys(("adc", "dwi", "hbv", "dce", "swi", "pd", "pdw"), "MR"),
    **dict.fromkeys(("cxr", "xray", "dx", "cr"), "DX"),
}
_TRAIN = ("train", "training", "tr", "test", "val", "validation", "res", "sm", "resampled", "preprocessed")
_KNOWN = {*_MASK, *_IMAGE, *_MODALITY, *_TRAIN}
# Masks named after who drew them.
_READER = re.compile(r"(reader|rater|annotator|observer)\d{1,2}")
_ENDING = re.compile(r"(\.nii\.gz|\.nii|\.seg\.nrrd|\.nrrd|\.dcm)$", re.IGNORECASE)
_TOKENS = re.compile(r"[^_\-. ]+|[_\-. ]+")
_CHANNEL_NUMBER = re.compile(r"_0\d\d\d$")
_SEPARATORS = tuple("_-. ")
_SLOT = "\0"


@dataclass(frozen=True, slots=True)
class Group:
    """Files whose names differ only in whom they are about.

    Args:
        template: Their common path template.
        paths: The files, sorted.
        subjects: What the first named part of the template is in each of them.
        words: The words in the template that say what the files are.
    """

    template: str
    paths: tuple[str, ...]
    subjects: frozenset[str]
    words: frozenset[str]

    @property
    def is_mask(self) -> bool:
        """Whether the names say that these are masks."""
        return bool(self.words & _MASK) or bool(self.reader)

    @property
    def reader(self) -> str:
        """Who drew the masks, where their names say so."""
        return next((w for w in sorted(self.words) if _READER.fullmatch(w)), "")

    @property
    def modality(self) -> str:
        """DICOM modality that the names tell, or ""."""
        return next((_MODALITY[w] for w in sorted(self.words) if w in _MODALITY), "")

    @property
    def name(self) -> str:
        """A short name for what the files show."""
        told = sorted(w for w in self.words if w in _MODALITY)
        return "-".join(told) or "image"


def groups_of(paths: Iterable[str]) -> list[Group]:
    """Files grouped by the shape of their names, the largest group first.

    >>> [g.template for g in groups_of(["A1/ct.nii.gz", "A2/ct.nii.gz", "A1/seg.nii.gz", "A2/seg.nii.gz"])]
    ['{subject}/ct.nii.gz', '{subject}/seg.nii.gz']
    """
    found: dict[str, list[tuple[str, list[str]]]] = defaultdict(list)
    for path in paths:
        shape, values = _shape_of(path)
        found[shape].append((path, values))
    out = [_group(shape, members) for shape, members in found.items()]
    return sorted(out, key=lambda g: (-len(g.paths), g.template))


def pairs_of(groups: list[Group]) -> list[tuple[Group, Group]]:
    """Pairs of images and the masks that belong to them, the best first; each group of masks once."""
    images = [g for g in groups if not g.is_mask and g.subjects]
    out = []
    for masks in (g for g in groups if g.is_mask):
        scored = [(_shared(image, masks), image) for image in images]
        best = min(scored, key=lambda s: (-s[0][0], -s[0][1], _rank(s[1])), default=None)
        if best and best[0][0]:
            out.append((best[0], best[1], masks))
    out.sort(key=lambda p: (-p[0][0], _rank(p[1]), p[2].template))
    return [(image, masks) for _, image, masks in out]


def _rank(image: Group) -> tuple[int, str]:
    """CT first, as its values mean the same everywhere; a stable order for the rest."""
    return {"CT": 0, "MR": 1, "PT": 2}.get(image.modality, 3), image.template


def _shared(image: Group, masks: Group) -> tuple[int, int]:
    return len(image.subjects & masks.subjects), len(image.words & masks.words)


def _shape_of(path: str) -> tuple[str, list[str]]:
    """The path with everything that is no known word put as a slot, and what stood in the slots."""
    ending = _ENDING.search(path)
    stem = path[: ending.start()] if ending else path
    parts = PurePosixPath(stem).parts
    if "imagestr" in path.lower() and (number := _CHANNEL_NUMBER.search(stem)):  # nnU-Net's way
        parts = (*parts[:-1], parts[-1].removesuffix(number.group()))
        ending_text = number.group() + (ending.group() if ending else "")
    else:
        ending_text = ending.group() if ending else ""
    shapes, values = zip(*(_slots(component) for component in parts), strict=True)
    return "/".join(shapes) + ending_text, [v for found in values for v in found]


def _slots(component: str) -> tuple[str, list[str]]:
    """One folder or file name: words that stand side by side and are not known are one slot."""
    shape, run, between = "", "", ""
    values: list[str] = []
    for token in [*_TOKENS.findall(component), ""]:
        if token[:1] in _SEPARATORS:
            between = token
            continue
        if token and not _is_known(token):
            shape, run = (shape, run + between + token) if run else (shape + between, token)
        else:
            if run:
                values.append(run)
            shape, run = shape + (_SLOT if run else "") + between + token, ""
        between = ""
    return shape, values


def _group(shape: str, members: list[tuple[str, list[str]]]) -> Group:
    names: dict[tuple[str, ...], str] = {}
    template, free = shape, iter(("subject", "name", "part", "piece", "other"))
    for column in zip(*(values for _, values in members), strict=True):
        if len(members) > 1 and len(set(column)) == 1:
            text = column[0]
        else:
            if column not in names:
                names[column] = next(free, "")
            text = f"{{{names[column]}}}" if names[column] else "*"
        template = template.replace(_SLOT, text, 1)
    subjects = frozenset(next(iter(names), ()))
    return Group(template, tuple(sorted(path for path, _ in members)), subjects, _words_of(shape))


def _words_of(shape: str) -> frozenset[str]:
    """Known words of the file name, and of folders that are nothing but known words."""
    *folders, name = _ENDING.sub("", shape).split("/")
    told = "_".join([*(f for f in folders if _SLOT not in f), name])
    return frozenset(token.lower() for token in _TOKENS.findall(told) if _is_known(token))


def _is_known(token: str) -> bool:
    return token.lower() in _KNOWN or _READER.fullmatch(token.lower()) is not None
