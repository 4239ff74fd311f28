"""`config init` looks at folders and writes a config that is valid, says what it guessed, and fits the schema."""

import pytest

from isocenter.base.documents import parse_yaml
from isocenter.base.errors import ConfigError
from isocenter.model.task import Task
from isocenter.pipeline.config import load, schema
from isocenter.pipeline.config_init import starter_for
from tests.contracts.files import dicom_bytes, seg_dataset, seg_frames, seg_masks
from tests.unit.pipeline import archives


def made(folder, *paths, task=None):
    """The starter's kind, its config as loaded, and its text."""
    output = folder / "cohort.yaml"
    kind, text = starter_for(paths, output, task=task)
    output.write_text(text)
    assert violations(schema(), parse_yaml(text).data) == []
    return kind, load(output, environment={}), text


def test_dicom_with_rtstruct(tmp_path):
    for centre in ("North Hospital", "south"):
        for patient in ("p1", "p2"):
            archives.write_ct(tmp_path / centre / patient / "ct", patient)
            archives.write_ct(tmp_path / centre / patient / "pet", patient, modality="PT")
            names = ["GTV_CT", "Lung L", "BODY", "GTV_PET"]
            archives.write_rtstruct(tmp_path / centre / patient / "rs", patient, names)
    kind, config, text = made(tmp_path, tmp_path / "North Hospital", tmp_path / "south")
    assert kind == "dicom-rtstruct"
    assert config.task is Task.SEGMENTATION
    assert [s.site for s in config.sources] == ["north-hospital", "south"]
    assert [s.subject.tag for s in config.sources] == ["PatientID", "PatientID"]
    assert {n: c.modality for n, c in config.channels.items()} == {"ct": "CT"}
    assert "pt: {modality: PT}" in text
    assert {n: label.aliases for n, label in config.labels.items()} == {
        "gtv": ("GTV_CT", "GTV_PET"),
        "lung-l": ("Lung L",),
    }
    assert config.overlapping
    assert [a.kind for a in config.annotations] == ["objects"]
    assert "Also found: BODY" in text
    assert "p1" not in text.replace("cp1", "")


def test_dicom_with_segmentations(tmp_path):
    for patient in ("p1", "p2"):
        archives.write_ct(tmp_path / "in" / patient / "ct", patient)
        (tmp_path / "in" / patient / "seg").mkdir()
        data = dicom_bytes(seg_dataset(seg_frames(seg_masks()), names=("Heart", "Liver")))
        (tmp_path / "in" / patient / "seg" / "1.dcm").write_bytes(data)
    _, config, text = made(tmp_path, tmp_path / "in")
    assert [(a.kind, a.format) for a in config.annotations] == [("objects", "dicom-seg")]
    assert {n: label.aliases for n, label in config.labels.items()} == {
        "heart": ("Heart",),
        "liver": ("Liver",),
    }
    assert "SEG objects in the folders" in text


def test_a_modality_that_is_no_term_is_not_repeated(tmp_path):
    archives.write_ct(tmp_path / "a" / "x", "p1", modality="SECRETNAME", slices=5)
    archives.write_ct(tmp_path / "a" / "y", "p2", modality="MRI")
    archives.write_ct(tmp_path / "a" / "z", "p3", modality="PT")
    archives.write_rtstruct(tmp_path / "a" / "rs", "p1", ["liver"])
    _, config, text = made(tmp_path, tmp_path / "a")
    assert "secretname" not in text.lower()
    assert {n: c.modality for n, c in config.channels.items()} == {"mr": "MR"}
    assert "pt: {modality: PT}" in text


def test_images_without_patient_take_the_first_folder_for_the_subject(tmp_path):
    archives.write_ct(tmp_path / "a" / "x", "")
    archives.write_rtstruct(tmp_path / "a" / "x", "", ["liver"])
    _, config, text = made(tmp_path, tmp_path / "a")
    assert config.sources[0].subject.pattern == ("{subject}/**",)
    assert "no patient" in text


LAYOUTS = [
    (["imagesTr/{s}.nii.gz", "labelsTr/{s}.nii.gz"], "imagesTr/{subject}.nii.gz", "labelsTr/{subject}.nii.gz"),
    (["imagesTr/{s}_0000.nii.gz", "labelsTr/{s}.nii.gz"], "imagesTr/{subject}_0000.nii.gz", "labelsTr/{subject}.nii.gz"),
    (["{s}_image.nii.gz", "{s}_mask.nii.gz"], "{subject}_image.nii.gz", "{subject}_mask.nii.gz"),
    (["{s}/ct.nii.gz", "{s}/seg.nii.gz"], "{subject}/ct.nii.gz", "{subject}/seg.nii.gz"),
    (["data/{s}/{s}_t1.nii.gz", "data/{s}/{s}_seg.nii.gz"], "data/{subject}/{subject}_t1.nii.gz", "data/{subject}/{subject}_seg.nii.gz"),
    (["images/{s}.nii", "masks/{s}_mask.nii"], "images/{subject}.nii", "masks/{subject}_mask.nii"),
    (["{s}/CT_image.nii.gz", "{s}/CT_mask.nii.gz", "{s}/PET_image.nii.gz", "{s}/PET_mask.nii.gz"], "{subject}/CT_image.nii.gz", "{subject}/CT_mask.nii.gz"),
]  # fmt: skip


@pytest.mark.parametrize(("names", "image", "mask"), LAYOUTS)
def test_images_and_masks_by_their_names(tmp_path, names, image, mask):
    for subject in ("STS_001", "STS_002", "STS_017"):
        for name in names:
            archives.write_nifti(tmp_path / "in" / name.format(s=subject), (0, 1, 3))
    kind, config, text = made(tmp_path, tmp_path / "in")
    assert kind == "masks"
    [channel] = config.channels.values()
    assert channel.path == (image,)
    [annotation] = config.annotations
    assert (annotation.path, annotation.image) == (mask, image)
    assert set(config.sources[0].subject.pattern) == {image, mask}
    assert {label.value for label in config.labels.values()} == {1, 3}
    assert channel.modality == ("MR" if "t1" in image else "CT")
    assert ("CT is assumed" in text) == (
        "ct" not in image.lower().replace("subject", "") and "t1" not in image
    )


def test_nnunet_folder(tmp_path):
    root = tmp_path / "Dataset001_X"
    for case in ("liver_1", "liver_2"):
        archives.write_nifti(root / "imagesTr" / f"{case}_0000.nii.gz")
        archives.write_nifti(root / "labelsTr" / f"{case}.nii.gz", (0, 1, 2))
    archives.write_nifti(root / "imagesTs" / "liver_9_0000.nii.gz")
    archives.write_dataset_json(
        root,
        channel_names={"0": "CT"},
        labels={"background": 0, "liver": 1, "tumour": 2},
        numTraining=2,
        file_ending=".nii.gz",
    )
    kind, config, _ = made(tmp_path, root)
    assert kind == "nnunet"
    assert config.sources[0].layout == "nnunet"
    assert {n: label.value for n, label in config.labels.items()} == {"liver": 1, "tumour": 2}
    assert config.channels["ct"].path == ("imagesTr/{subject}_0000.nii.gz", "imagesTs/{subject}_0000.nii.gz")
    assert [a.kind for a in config.annotations] == ["layout"]


def test_decathlon_folder(tmp_path):
    root = tmp_path / "Task09_Spleen"
    pairs = []
    for case in ("spleen_1", "spleen_2"):
        archives.write_nifti(root / "imagesTr" / f"{case}.nii.gz")
        archives.write_nifti(root / "labelsTr" / f"{case}.nii.gz", (0, 1))
        pairs.append({"image": f"./imagesTr/{case}.nii.gz", "label": f"./labelsTr/{case}.nii.gz"})
    archives.write_dataset_json(
        root, modality={"0": "CT"}, labels={"0": "background", "1": "spleen"}, training=pairs, test=[]
    )
    kind, config, _ = made(tmp_path, root)
    assert kind == "decathlon"
    assert list(config.labels) == ["spleen"]
    assert config.channels["ct"].modality == "CT"


def test_classification_by_a_table_beside_the_folders(tmp_path):
    for patient in ("p1", "p2"):
        archives.write_ct(tmp_path / "xray" / patient, patient, slices=1, modality="DX")
    table = tmp_path / "labels.csv"
    table.write_text("Patient ID,Finding Labels\np1,Edema|Mass\np2,No Finding\n")
    kind, config, text = made(tmp_path, tmp_path / "xray", table)
    assert kind == "classification"
    assert config.task is Task.CLASSIFICATION
    assert list(config.labels) == ["edema", "mass"]
    [annotation] = config.annotations
    assert annotation.key == "subject"
    assert annotation.columns == {"key": "Patient ID", "label": "Finding Labels"}
    assert annotation.path == str(table)
    assert "2 rows name something" in text


def test_classification_by_columns_of_0_and_1_and_by_file_name(tmp_path):
    for name in ("scan-a", "scan-b"):
        archives.write_nifti(tmp_path / "in" / f"{name}.nii.gz")
    (tmp_path / "in" / "labels.tsv").write_text(
        "file\tage\tCOVID 19\tflu\nscan-a\t31\t1\t0\nscan-b\t42\t0\t1\n"
    )
    kind, config, _ = made(tmp_path, tmp_path / "in")
    assert kind == "classification"
    assert config.annotations[0].columns == {"key": "file", "covid-19": "COVID 19", "flu": "flu"}
    assert list(config.labels) == ["covid-19", "flu"]


def test_detection_by_centres_and_diameters_of_series(tmp_path):
    archives.write_ct(tmp_path / "in" / "p1", "p1", series="1.3.6.1.4.1.9328.1")
    table = tmp_path / "annotations.csv"
    table.write_text(
        "seriesuid,coordX,coordY,coordZ,diameter_mm\n1.3.6.1.4.1.9328.1,-128.6,-175.3,-298.3,5.6\n"
    )
    kind, config, text = made(tmp_path, tmp_path / "in", table)
    assert kind == "detection"
    [annotation] = config.annotations
    assert (annotation.shape, annotation.key, annotation.world) == ("centres", "series", "LPS")
    assert annotation.columns["x"] == "coordX"
    assert annotation.label == next(iter(config.labels))
    assert config.unit == "image"
    assert "a table does not say" in text


def test_detection_by_boxes_with_a_class_column(tmp_path):
    archives.write_ct(tmp_path / "in" / "p1", "p1")
    table = tmp_path / "boxes.csv"
    table.write_text(
        "patient,xmin,ymin,zmin,xmax,ymax,zmax,class\np1,0,0,0,9,9,9,Nodule\np1,1,1,1,2,2,2,Mass\n"
    )
    _, config, _ = made(tmp_path, tmp_path / "in", table)
    assert config.annotations[0].shape == "boxes"
    assert config.annotations[0].columns == {
        "key": "patient", "label": "class",
        **{f"{a}{n}": f"{a}{w}" for a in "xyz" for n, w in (("0", "min"), ("1", "max"))},
    }  # fmt: skip
    assert list(config.labels) == ["mass", "nodule"]


def test_the_task_decides_where_the_data_would_suit_several(tmp_path):
    archives.write_ct(tmp_path / "in" / "p1", "p1")
    archives.write_rtstruct(tmp_path / "in" / "p1" / "rs", "p1", ["liver"])
    (tmp_path / "in" / "labels.csv").write_text("patient,label\np1,ill\n")
    assert made(tmp_path, tmp_path / "in")[0] == "dicom-rtstruct"
    assert made(tmp_path, tmp_path / "in", task=Task.CLASSIFICATION)[0] == "classification"
    # boxes around what was outlined
    assert made(tmp_path, tmp_path / "in", task=Task.DETECTION)[0] == "drawings"


def test_a_workspace_that_would_lie_in_the_source_is_left_out(tmp_path):
    archives.write_nifti(tmp_path / "a" / "ct.nii.gz")
    archives.write_nifti(tmp_path / "a" / "seg.nii.gz", (0, 1))
    _, config, _ = made(tmp_path, tmp_path)
    assert config.sources[0].exclude == ("work/**",)


def test_names_of_regions_cannot_break_the_document(tmp_path):
    archives.write_ct(tmp_path / "in" / "p1", "p1")
    hostile = ["a: b #c", "{x}", "new\nline: 1", '"quoted', "\x1b[31mred"]
    archives.write_rtstruct(tmp_path / "in" / "p1" / "rs", "p1", hostile)
    _, config, text = made(tmp_path, tmp_path / "in")
    aliases = {a for label in config.labels.values() for a in label.aliases}
    assert {"a: b #c", "{x}", '"quoted'} <= aliases
    assert "\x1b" not in text


@pytest.mark.parametrize("files", [{}, {"a.txt": "x"}, {"t.csv": "a,b\n1,2\n"}])
def test_a_folder_without_annotations_is_told_what_it_would_take(tmp_path, files):
    (tmp_path / "in").mkdir()
    for name, text in files.items():
        (tmp_path / "in" / name).write_text(text)
    with pytest.raises(ConfigError, match=r"(?s)RTSTRUCT.*nnU-Net.*CSV") as caught:
        starter_for([tmp_path / "in"], tmp_path / "cohort.yaml")
    assert str(tmp_path) not in str(caught.value)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ConfigError, match="there is no folder 'nope'"):
        starter_for([tmp_path / "nope"], tmp_path / "cohort.yaml")


def violations(schema, data, root=None, place="$"):
    """What JSON Schema 2020-12 (the keywords that ours has) says against a document."""
    root = root or schema
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        if any(not violations(s, data, root, place) for s in schema["anyOf"]):
            return []
        return [f"{place}: fits none"]
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float), "null": type(None)}  # fmt: skip
    if "type" in schema and not isinstance(data, kinds[schema["type"]]):
        return [f"{place}: no {schema['type']}"]
    if "enum" in schema and data not in schema["enum"]:
        return [f"{place}: none of {schema['enum']}"]
    out = []
    if isinstance(data, dict):
        known, more = schema.get("properties", {}), schema.get("additionalProperties", True)
        out += [f"{place}: lacks {k}" for k in schema.get("required", []) if k not in data]
        for key, value in data.items():
            if key in known:
                out += violations(known[key], value, root, f"{place}.{key}")
            elif more is False:
                out.append(f"{place}: {key} is not allowed")
            elif isinstance(more, dict) and value is not None:
                out += violations(more, value, root, f"{place}.{key}")
    if isinstance(data, list):
        out += [
            v
            for n, x in enumerate(data)
            for v in violations(schema.get("items", {}), x, root, f"{place}[{n}]")
        ]
    return out
