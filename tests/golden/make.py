"""Makes the small store that is kept of every layout: `python -m tests.golden.make FOLDER BACKEND`.

What it makes is committed as `layout-<version>-<backend>.tar.xz` by the version of the package that first wrote that
layout, and never made again: later versions have to read it.
"""

from __future__ import annotations

import io
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from isocenter.model.attributes import Attribute, AttributeState
from isocenter.model.case import Case, Marks
from isocenter.model.rows import OpinionRow
from isocenter.stores.layout import LAYOUT_VERSION
from isocenter.stores.manifest import read_manifest
from tests.contracts.packed import build, make_case

SHAPE = (9, 20, 18)


def golden_case(number: int, layout: int = LAYOUT_VERSION) -> Case:
    """A case with every kind of array that a record may hold, whose image is smooth and so small when packed."""
    case = make_case(number, SHAPE)
    k, j, i = np.indices(SHAPE)
    image = (k * 40 + j * 7 - i * number - 500).astype(np.int16)
    mask = np.zeros(SHAPE, np.uint8)
    mask[2:6, 4:12, 5:9] = 1
    mask[3:4, 15:18, 2:6] = 2
    looked = np.ones(SHAPE, bool)
    looked[-2:] = False
    taken_out = (Attribute(name="weight_kg", unit="kg", state=AttributeState.DEIDENTIFIED),)
    return replace(
        case,
        attributes=case.attributes + (taken_out if layout > 4 else ()),
        image=image[None],
        mask=mask,
        raters={"a": mask, "b/Å": np.where(k == 2, 0, mask).astype(np.uint8)},
        known={"node": looked},
        rater_known={"a": {"node": looked}},
        shares={"tumour": (mask == 1).astype(np.uint16) * 30000},
        instances=(mask > 0).astype(np.uint16) * 3,
        rater_boxes=Marks(raters=("a",), labels=("tumour",), where=np.arange(6.0)[None]),
        rater_points=Marks(raters=("a", "b/Å"), labels=("node", "node"), where=np.arange(8.0).reshape(2, 4)),
        opinions=(OpinionRow(case=case.id, label="node", rater="a", state="marked", points=1),),
        slice_labels=np.ones((2, SHAPE[0]), np.int8),
    )


def golden_cases(layout: int = LAYOUT_VERSION) -> list[Case]:
    """The cases of the golden store; one of them has nothing but an image."""
    one, two, three = (golden_case(n, layout) for n in (1, 2, 3))
    bare = replace(three, mask=None, raters={}, known={}, rater_known={}, shares={}, instances=None)
    return [one, two, bare]


def packed(folder: Path) -> bytes:
    """A store as one file, its members sorted and without a time or an owner."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:xz") as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            info = tarfile.TarInfo(path.relative_to(folder).as_posix())
            info.size = path.stat().st_size
            archive.addfile(info, io.BytesIO(path.read_bytes()))
    return out.getvalue()


def main() -> None:
    folder, backend = Path(sys.argv[1]), sys.argv[2]
    build(folder, golden_cases(), shards=2, backend=backend)
    layout = read_manifest(folder).layout
    (Path(__file__).parent / f"layout-{layout}-{backend}.tar.xz").write_bytes(packed(folder))


if __name__ == "__main__":
    main()
