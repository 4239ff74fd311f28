"""`config init` on folders of real data: what it guesses is what is there."""

import pytest

from isocenter.pipeline.config import load
from isocenter.pipeline.config_init import starter_for

pytestmark = pytest.mark.real


def made(tmp_path, *paths):
    output = tmp_path / "cohort.yaml"
    kind, text = starter_for(paths, output)
    output.write_text(text)
    return kind, load(output, environment={})


def test_sarcoma_patients_as_dicom(real_data, tmp_path):
    kind, config = made(tmp_path, real_data / "rtstruct_ct_pet_mr_IBSI" / "dicom")
    assert kind == "dicom-rtstruct"
    assert config.channels["ct"].modality == "CT"
    assert set(config.labels["gtv-mass"].aliases) == {"GTV_Mass_CT", "GTV_Mass_MR_T1", "GTV_Mass_PET"}


def test_sarcoma_patients_as_nifti(real_data, tmp_path):
    kind, config = made(tmp_path, real_data / "rtstruct_ct_pet_mr_IBSI" / "nifti")
    assert kind == "masks"
    assert config.channels["ct"].path == ("{subject}/CT_image.nii.gz",)
    assert config.annotations[0].path == "{subject}/CT_mask.nii.gz"
    assert [label.value for label in config.labels.values()] == [1]


def test_x_rays_with_the_table_of_labels(real_data, tmp_path):
    kind, config = made(tmp_path, real_data / "xray_dicom", real_data / "csv_labels_NIH_CXR14")
    assert kind == "classification"
    assert len(config.labels) == 14
    assert config.annotations[0].columns == {"key": "Image Index", "label": "Finding Labels"}
    assert len(config.sources) == 1


def test_luna_style_centres(real_data, tmp_path):
    table = real_data / "csv_LUNA16" / "annotations.csv"
    kind, config = made(tmp_path, real_data / "ct_chest_CPTAC-LSCC_C3N-00247", table)
    assert kind == "detection"
    assert (config.annotations[0].shape, config.annotations[0].key) == ("centres", "series")
