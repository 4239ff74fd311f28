"""What an audit is told: what of a data set to look at, how to read it, and what is claimed of its test part."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

LAYOUTS = ("auto", "bids", "monai", "nnunet", "store", "table")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditOptions:
    """What of a split data set is looked at, and what is claimed of it."""

    splits: Annotated[tuple[str, ...], "names of the splits or folds to check; empty: all"] = ()
    layout: Annotated[str, "auto, store, nnunet, monai, bids or table"] = "auto"
    subject: Annotated[
        str, "how the subject stands in the name of a case or the path of an image, e.g. {subject}_{visit}"
    ] = "{subject}"
    images: Annotated[str, "folder that the paths of images start from, where it is not that of the list"] = (
        ""
    )
    columns: Annotated[
        dict[str, str], "column of a table for a role, e.g. {subject: pat_no, partition: part}"
    ] = field(default_factory=dict)
    labels: Annotated[tuple[str, ...], "columns of a table that hold 1 or 0 for a label"] = ()
    metadata: Annotated[
        tuple[str, ...], "further columns of a table that tell the scanner, not the patient"
    ] = ()
    independent: Annotated[bool, "the whole test part is said to come from centres of its own"] = False
    temporal: Annotated[bool, "the test part is said to be later than the training part"] = False
    pixels: Annotated[bool, "read the images, to find copies, mirrored and cropped ones too"] = True
    canary: Annotated[bool, "show with random labels what leakage is worth on these images"] = False
    seeds: Annotated[int, "how many times the canary draws its labels"] = 20
    slices: Annotated[int, "slices of each image that the canary is given, at most"] = 12

    def __post_init__(self) -> None:
        if self.seeds < 2 or self.slices < 2:
            raise ValueError("seeds and slices must be at least 2")
        if self.canary and not self.pixels:
            raise ValueError("the canary needs the pixels")
