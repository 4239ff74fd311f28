"""Real objects of several frames and mosaics: every stored value at its place, against the references of dcm2niix."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from isocenter.base import tables
from isocenter.base.progress import silent
from isocenter.base.workspace import Workspace
from isocenter.executors.executor import EXECUTORS
from isocenter.formats.image import FORMATS
from isocenter.model.rows import FileRow, Stack
from isocenter.model.volume import Volume
from isocenter.stages.index.options import IndexOptions, Source
from isocenter.stages.index.stage import index

pytestmark = pytest.mark.real
# Folder, reference, slope and intercept of the frames, place of the volume among those of the folder and in the
# reference. The maker's own scale of the magnitude image, which the reference has, is no modality LUT.
SETS = [
    *(("mr_siemens_mosaic/In", "mr_siemens_mosaic/Ref/EPI_PE=AP_3.nii", 1, 0, n, n) for n in range(2)),
    *(
        (
            "mr_enhanced_siemens_philips/In/Siemens",
            "mr_enhanced_siemens_philips/Ref/Siemens_REST1_w_SMS_PF7-8_6.nii",
            1,
            0,
            n,
            n,
        )
        for n in range(4)
    ),
    (
        "mr_enhanced_siemens_philips/In/Philips",
        "mr_enhanced_siemens_philips/Ref/Philips_WIP_B0_NS_801_e1.nii",
        1.27985347985347,
        0,
        1,
        0,
    ),
    (
        "mr_enhanced_siemens_philips/In/Philips",
        "mr_enhanced_siemens_philips/Ref/Philips_WIP_B0_NS_801_e2_fieldmaphz.nii",
        0.24420024420024,
        -500,
        0,
        0,
    ),
    (
        "mr_philips_classic_vs_enhanced/In/enh",
        "mr_philips_classic_vs_enhanced/Ref/1901_WIP_3DpCASL_enh_real.nii.gz",
        0.1,
        0,
        0,
        0,
    ),
]


def volumes_of(folder: Path, workspace: Path) -> list[Volume]:
    """All volumes of a folder, whatever the rules say of them, by time and lowest value."""
    source = Source(path=str(folder), site="")
    space = Workspace(workspace)
    index(
        IndexOptions(sources=(source,)),
        space,
        base=Path(),
        executor=EXECUTORS.get("serial"),
        jobs=1,
        progress=silent,
    )
    files = {f.file_id: folder / f.path for f in tables.read(space.table("index", "files"), FileRow)}
    stacks = list(tables.read(space.table("index", "stacks"), Stack))
    assert all(s.multi_frame for s in stacks)
    volumes = [FORMATS.get("dicom").read(s, [files[f] for f in s.files]) for s in stacks]
    return sorted(volumes, key=lambda v: (v.axis.index if v.axis else 0, float(v.array.min())))


@pytest.mark.parametrize(("folder", "reference", "slope", "intercept", "place", "part"), SETS)
def test_stored_values_and_places_are_those_of_the_reference(
    folder: str,
    reference: str,
    slope: float,
    intercept: float,
    place: int,
    part: int,
    real_data: Path,
    tmp_path: Path,
) -> None:
    volume = volumes_of(real_data / folder, tmp_path)[place]
    image = nibabel.load(real_data / reference)
    stored = image.dataobj.get_unscaled()
    stored = stored[..., part] if stored.ndim == 4 else stored
    step = np.linalg.inv(image.affine) @ volume.grid.affine
    turn, shift = np.rint(step[:3, :3]), np.rint(step[:3, 3])
    k, j, i = np.indices(volume.array.shape).reshape(3, -1)
    at = (turn @ [i, j, k] + shift[:, None]).astype(int)
    ends = np.array([i, j, k])[:, [0, -1]]
    apart = (volume.grid.affine - image.affine @ np.block([[turn, shift[:, None]], [np.eye(4)[3:]]]))[:3]
    assert np.abs(apart @ np.vstack([ends, [1, 1]])).max() < 1e-3
    found = np.rint((volume.array.astype(float) - intercept) / slope)
    assert np.array_equal(found.ravel(), stored[tuple(at)])
    assert volume.array.size == stored.size
    expected = np.float32(stored[tuple(at)] * slope + intercept)
    assert np.array_equal(np.float32(volume.array.ravel()), expected)
