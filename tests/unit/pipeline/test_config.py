"""A config is loaded with its defaults and absolute paths, and every kind of mistake is told with its place."""

import re

import pytest

from isocenter.base.documents import write_yaml
from isocenter.base.errors import ConfigError
from isocenter.model.task import Task
from isocenter.pipeline.config import as_document, contract_of, load

TABLE = {"kind": "table", "path": "labels.csv", "columns": {"key": "patient", "label": "finding"}}
CENTRES = {**TABLE, "shape": "centres"}
MASKS = {"kind": "masks", "path": "{subject}/seg.nii.gz", "image": "{subject}/ct.nii.gz"}


def test_defaults_are_filled_in_and_labels_numbered(cohort):
    config = cohort.load()
    assert config.task is Task.SEGMENTATION
    assert {n: label.value for n, label in config.labels.items()} == {"tumour": 1, "node": 2}
    assert config.store.backend == "hdf5"
    assert config.sources[0].subject.tag == "PatientID"
    assert contract_of(config).reference == "ct"


def test_paths_start_at_the_folder_of_the_file(cohort, monkeypatch):
    (cohort.folder / "key").write_text("00")
    monkeypatch.chdir("/")
    config = cohort.load(key="key", annotations=[{"kind": "objects"}, TABLE], workspace="out/../work")
    assert config.sources[0].path == str(cohort.folder / "north")
    assert config.workspace == str(cohort.folder / "work")
    assert config.key == str(cohort.folder / "key")
    assert config.annotations[1].path == str(cohort.folder / "labels.csv")


def test_path_templates_stay_as_they_are(cohort):
    config = cohort.load(annotations=[MASKS])
    assert config.annotations[0].path == "{subject}/seg.nii.gz"


def test_keys_left_empty_have_their_defaults(cohort):
    config = cohort.load(screen=None, agreement={"min_dice": None}, standardise={"hu_range": None})
    assert config.agreement.min_dice == 0.7
    assert config.standardise.hu_range is None  # null says: keep all values


def test_a_spacing_is_a_word_one_number_or_three(cohort):
    for spacing in ("native", "median", "isotropic", 1, 0.8, (2.5, 1.0, 1.0)):
        assert cohort.load(standardise={"spacing": spacing}).standardise.spacing == spacing


def test_all_kinds_of_tasks_load(cohort):
    assert cohort.load(task="detection", annotations=[CENTRES], labels={"mass": None}).task == "detection"
    assert cohort.load(task="classification", annotations=[TABLE]).task == "classification"
    sources = [{"path": "north", "layout": "nnunet"}]
    assert cohort.load(sources=sources, annotations=[{"kind": "layout"}]).annotations[0].kind == "layout"


def test_formats_that_serve_a_task_load(cohort):
    def of(form, **more):
        return cohort.load(annotations=[{"kind": "objects", "format": form}], **more).annotations[0].format

    for form in ("aim", "lidc-xml", "dicom-report", "nrrd"):
        assert of(form) == form
    for form in ("voc", "coco", "slicer-markups", "rtstruct"):
        assert of(form, task="detection") == of(form, task="classification") == form
    assert of("voc", boxes_as_masks=True) == "voc"


def test_label_tables_are_files_of_the_config_or_templates(cohort):
    config = cohort.load(annotations=[{**MASKS, "names": "labels.txt"}])
    assert config.annotations[0].names == str(cohort.folder / "labels.txt")
    config = cohort.load(annotations=[{**MASKS, "names": "{subject}/labels.tsv"}])
    assert config.annotations[0].names == "{subject}/labels.tsv"


def test_the_contract_says_how_lesions_are_told_apart(cohort):
    contract = contract_of(cohort.load(instances=True, connectivity=6))
    assert (contract.instances, contract.connectivity, contract.boxes_as_masks) == (True, 6, False)


def test_the_config_as_run_reads_back_the_same_and_holds_no_absolute_path(cohort):
    config = cohort.load(
        annotations=[{"kind": "objects", "format": "rtstruct"}, {**TABLE, "absent": "negative"}, MASKS],
        sources=[{"path": "north", "subject": {"table": "people.tsv"}}],
        channels={"ct": {"modality": "CT", "windows": ["lung"], "prefer": [{"convolution_kernel": "B3*"}]}},
        standardise={"spacing": [2.5, 1, 1], "hu_range": None},
        screen={"ignore": {"geometry": "because"}, "severity": {"identity/missing-patient-id": "note"}},
        executor={"kind": "serial", "jobs": 2},
        seed=7,
    )
    workspace = cohort.folder / "work"
    workspace.mkdir()
    write_yaml(workspace / "cohort.yaml", as_document(config))
    assert load(workspace / "cohort.yaml", environment={}) == config
    assert str(cohort.folder) not in (workspace / "cohort.yaml").read_text()


# Key path, a part of the message, a part of the hint, and the change that brings it.
MISTAKES = [
    ("task", "is required", "", {"task": None}),
    ("task", "must be one of segmentation, detection, classification", "'segmentation'", {"task": "segmentaton"}),
    ("sorces", "is not a key of a cohort", "did you mean 'sources'?", {"sorces": []}),
    ("sources", "name at least one source", "", {"sources": []}),
    ("sources", "must be a list", "", {"sources": {"path": "north"}}),
    ("sources[0]", "must be a set of keys", "", {"sources": ["north"]}),
    ("sources[0].path", "is required: folder", "", {"sources": [{"site": "a"}]}),
    ("sources[0].path", "there is no folder 'nrth'", "", {"sources": [{"path": "nrth"}]}),
    ("sources[0].site", "must be text", 'put it in quotes: "3"', {"sources": [{"path": "north", "site": 3}]}),
    ("sources[0].siet", "is not a key here", "did you mean 'site'?", {"sources": [{"path": "north", "siet": "a"}]}),
    ("sources[0].layout", "there is no layout 'nnunt'", "did you mean 'nnunet'?", {"sources": [{"path": "north", "layout": "nnunt"}]}),
    ("sources[0].subject.tag", "there is no tag", "'PatientID'", {"sources": [{"path": "north", "subject": {"tag": "PatientId"}}]}),
    ("sources[0].subject.pattern", "must be a list of texts", 'write it as ["{subject}/**"]', {"sources": [{"path": "north", "subject": {"pattern": "{subject}/**"}}]}),
    ("sources[0].subject", "needs the named part {subject}", "", {"sources": [{"path": "north", "subject": {"pattern": ["x/**"]}}]}),
    ("sources[0].subject.pattern[0]", "has a brace", "", {"sources": [{"path": "north", "subject": {"pattern": ["{subject}/{x"]}}]}),
    ("sources[0].subject.table", "there is no file 'nope.csv'", "", {"sources": [{"path": "north", "subject": {"table": "nope.csv"}}]}),
    ("sources[0].subject.key", "there is no column 'idd'", "did you mean 'id'?", {"sources": [{"path": "north", "subject": {"table": "people.tsv", "key": "idd"}}]}),
    ("sources[0].include[0]", "starts from a source's folder", "", {"sources": [{"path": "north", "include": ["/abs/*"]}]}),
    ("channels", "name at least one channel", "", {"channels": {}}),
    ("channels.ct.modality", "is required: DICOM modality", "", {"channels": {"ct": None}}),
    ("channels.ct.modality", "'PET' is no DICOM modality", "did you mean 'PT'?", {"channels": {"ct": {"modality": "PET"}}}),
    ("channels.ct.modality", "'ct' is no DICOM modality", "did you mean 'CT'?", {"channels": {"ct": {"modality": "ct"}}}),
    ("channels.ct.windows[0]", "there is no window 'lnug'", "did you mean 'lung'?", {"channels": {"ct": {"modality": "CT", "windows": ["lnug"]}}}),
    ("channels.mr.windows[0]", "is in HU, which MR images are not", "", {"channels": {"mr": {"modality": "MR", "windows": ["lung"]}}}),
    ("channels.ct.optional", "the reference channel cannot be optional", "", {"channels": {"ct": {"modality": "CT", "optional": True}}}),
    ("channels.ct.where.axis_idx", "is nothing that an image is chosen by", "did you mean 'axis_index'?", {"channels": {"ct": {"modality": "CT", "where": {"axis_idx": "0"}}}}),
    ("channels.ct.where.axis_index", "must be text", 'put it in quotes: "0"', {"channels": {"ct": {"modality": "CT", "where": {"axis_index": 0}}}}),
    ("channels.ct.prefer[1].kernel", "is nothing that an image is chosen by", "convolution_kernel", {"channels": {"ct": {"modality": "CT", "prefer": [{"site": "a"}, {"kernel": "B*"}]}}}),
    ("channels.ct.path[0]", "is empty", "", {"channels": {"ct": {"modality": "CT", "path": [""]}}}),
    ("reference", "there is no channel 'cr'", "known: ct", {"reference": "cr"}),
    ("labels", "is required: name at least one label", "", {"labels": None}),
    ("labels.node.value", "is missing or 0", "give all labels a value, or none", {"labels": {"tumour": {"value": 1}, "node": None}}),
    ("labels.tumour.value", "must be between 1 and 65535", "", {"labels": {"tumour": {"value": -1}}}),
    ("labels.tumour.value", "must be between 1 and 65535", "", {"labels": {"tumour": {"value": 70000}}}),
    ("unit", "must be one of patient, study, series, side, image", "did you mean 'study'?", {"unit": "studdy"}),
    ("annotations", "segmentation needs masks or contours", "", {"annotations": []}),
    ("annotations", "segmentation needs masks or contours", "", {"annotations": [TABLE]}),
    ("annotations", "detection needs boxes", "", {"task": "detection", "annotations": [TABLE]}),
    ("annotations", "classification needs labels", "", {"task": "classification", "annotations": None}),
    ("annotations[0].kind", "must be one of objects, masks, layout, table", "'masks'", {"annotations": [{"kind": "mask"}]}),
    ("annotations[0].kind", "no source has a layout", "set sources[].layout", {"annotations": [{"kind": "layout"}]}),
    ("annotations[0]", "need a path", "", {"annotations": [{"kind": "masks"}]}),
    ("annotations[0].format", "there is no annotation format 'rtstrct'", "'rtstruct'", {"annotations": [{"kind": "objects", "format": "rtstrct"}]}),
    ("annotations[0].values[2]", "there is no label 'nodee'", "'node'", {"annotations": [{**MASKS, "values": {2: "nodee"}}]}),
    ("annotations[0].image", "has no named part in common", "", {"annotations": [{**MASKS, "image": "{x}/ct.nii.gz"}]}),
    ("annotations[0].rater", "there is no named part of the path 'reder'", "", {"annotations": [{**MASKS, "rater": "{reder}"}]}),
    ("annotations[1].path", "there is no file 'nope.csv'", "", {"annotations": [{"kind": "objects"}, {**TABLE, "path": "nope.csv"}]}),
    ("annotations[1].key", "there is no kind of key 'patient'", "known: ", {"annotations": [{"kind": "objects"}, {**TABLE, "key": "patient"}]}),
    ("annotations[1].columns", "which column is the key", "write key:", {"annotations": [{"kind": "objects"}, {**TABLE, "columns": {"label": "finding"}}]}),
    ("annotations[1].columns", "which column is the label", "", {"annotations": [{"kind": "objects"}, {**TABLE, "columns": {"key": "patient"}}]}),
    ("annotations[1].columns.label", "there is no column 'findng'", "'finding'", {"annotations": [{"kind": "objects"}, {**TABLE, "columns": {"key": "patient", "label": "findng"}}]}),
    ("annotations[1].columns.lable", "there is no kind of column 'lable'", "'label'", {"annotations": [{"kind": "objects"}, {**TABLE, "columns": {"key": "patient", "label": "finding", "lable": "finding"}}]}),
    ("annotations[1].columns.x0", "there is no column 'x0'", "", {"annotations": [{"kind": "objects"}, {**TABLE, "shape": "boxes", "columns": {"key": "patient", "label": "finding", **dict.fromkeys(["y0", "z0", "x1", "y1", "z1"], "x")}}]}),
    ("annotations[1].world", "must be LPS or RAS", "", {"annotations": [{"kind": "objects"}, {**CENTRES, "world": "RAI"}]}),
    ("annotations[0].format", "voc holds boxes, of which no segmentation can be learned", "set task: detection", {"annotations": [{"kind": "objects", "format": "voc"}]}),
    ("annotations[0].format", "slicer-markups holds boxes and points", "", {"annotations": [{"kind": "objects", "format": "slicer-markups"}, MASKS]}),
    ("annotations[0].format", "nifti files do not name what is in them", "write kind: masks", {"annotations": [{"kind": "objects", "format": "nifti"}]}),
    ("annotations[1].fraction", "is read of kind objects, not of table", "", {"annotations": [MASKS, {**TABLE, "fraction": 0.9}]}),
    ("annotations[0].values", "is read of kind layout and masks, not of objects", "", {"annotations": [{"kind": "objects", "values": {1: "node"}}]}),
    ("annotations[0].covers", "must be image, slices or marks", "", {"annotations": [{"kind": "objects", "covers": "all"}]}),
    ("annotations[0].names", "there is no file 'nope.txt'", "", {"annotations": [{**MASKS, "names": "nope.txt"}]}),
    ("annotations[0].names", "a line of a label table without a value and a name", "", {"annotations": [{**MASKS, "names": "broken.txt"}]}),
    ("annotations[0].names", "has a brace", "", {"annotations": [{**MASKS, "names": "{subject}/{x"}]}),
    ("annotations[0].names", "cannot stand beside values", "", {"annotations": [{**MASKS, "names": "labels.txt", "values": {1: "node"}}]}),
    ("instances", "is for the task segmentation, not for detection", "", {"task": "detection", "instances": True}),
    ("boxes_as_masks", "is for the task segmentation", "", {"task": "classification", "boxes_as_masks": True}),
    ("connectivity", "must be 6 (faces)", "", {"connectivity": 8}),
    ("annotations[0].inside", "must be centre or area", "", {"annotations": [{"kind": "objects", "inside": "half"}]}),
    ("screen.select[0]", "there is no rule or family 'gemetry'", "'geometry'", {"screen": {"select": ["gemetry"]}}),
    ("screen.ignore.geometry/uneven-spacing", "there is no rule or family", "'geometry/uneven-slice-spacing'", {"screen": {"ignore": {"geometry/uneven-spacing": "because"}}}),
    ("screen", "every ignore needs its reason", "", {"screen": {"ignore": {"geometry": " "}}}),
    ("screen.severity.geometry", "there is no rule 'geometry'", "", {"screen": {"severity": {"geometry": "note"}}}),
    ("screen.severity.geometry/uneven-slice-spacing", "must be one of note, review, reject", "'note'", {"screen": {"severity": {"geometry/uneven-slice-spacing": "not"}}}),
    ("screen.options.geometry/uneven-slice-spacing.tolerance", "is no option of this rule", "tolerance_mm", {"screen": {"options": {"geometry/uneven-slice-spacing": {"tolerance": 1}}}}),
    ("screen.options.geometry/uneven-slice-spacing.tolerance_mm", "must be a number (deviation in mm", "", {"screen": {"options": {"geometry/uneven-slice-spacing": {"tolerance_mm": "wide"}}}}),
    ("screen.stop_at_rejected_share", "must be above 0", "", {"screen": {"stop_at_rejected_share": 0}}),
    ("standardise.spacing", "must be text or a number or a list of numbers", "", {"standardise": {"spacing": {}}}),
    ("standardise.spacing", "must be native, median, isotropic, or one or three numbers", "", {"standardise": {"spacing": "wide"}}),
    ("standardise.spacing", "needs one or three positive numbers", "", {"standardise": {"spacing": 0}}),
    ("standardise.spacing", "needs one or three positive numbers", "", {"standardise": {"spacing": [1, 1]}}),
    ("standardise.align", "must be one of centre, corner, origin", "", {"standardise": {"align": "center"}}),
    ("standardise.hu_range[1]", "must be a whole number", "", {"standardise": {"hu_range": [0, "x"]}}),
    ("standardise.hu_range", "needs a lower and a higher number", "", {"standardise": {"hu_range": [3, 1]}}),
    ("agreement.method", "there is no consensus method 'majorty'", "'majority'", {"agreement": {"method": "majorty"}}),
    ("split.strategy", "there is no split strategy 'groupd'", "'grouped'", {"split": {"strategy": "groupd"}}),
    ("split.fractions", "must be positive and add up to 1", "", {"split": {"fractions": {"train": 0.5}}}),
    ("store.backend", "there is no store backend 'hdf'", "'hdf5'", {"store": {"backend": "hdf"}}),
    ("store.shards", "must be a power of two", "", {"store": {"shards": 3}}),
    ("executor.kind", "there is no executor 'procesess'", "'processes'", {"executor": {"kind": "procesess"}}),
    ("executor.jobs", "must be at least 1", "", {"executor": {"jobs": 0}}),
    ("seed", "must be a whole number", "", {"seed": "x"}),
    ("seed", "must not be negative", "", {"seed": -1}),
    ("workspace", "lies inside sources[0]", 'add "work/**" to sources[0].exclude', {"workspace": "north/work"}),
    ("key", "there is no file 'secret.key'", "", {"key": "secret.key"}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "message", "hint", "change"), MISTAKES)
def test_a_mistake_is_told_once_with_its_key_its_line_and_what_may_have_been_meant(
    cohort, path, message, hint, change
):
    problem = cohort.problem(**change)
    assert problem.path == path
    assert message in problem.message
    assert hint in problem.hint
    key = re.match(r"\w+", path)[0]
    lines = cohort.path.read_text().splitlines()
    first = next((n for n, line in enumerate(lines, start=1) if line.startswith(f"{key}:")), None)
    if first is None:
        assert problem.line is None
    else:
        end = next((n for n, x in enumerate(lines, 1) if n > first and x[0] not in " -"), len(lines) + 1)
        assert first <= problem.line < end


def test_a_workspace_inside_a_source_is_allowed_where_it_is_left_out(cohort):
    sources = [{"path": "north", "exclude": ["work/**"]}]
    assert cohort.load(sources=sources, workspace="north/work").workspace.endswith("north/work")


def test_labels_may_not_share_a_value(cohort):
    found = cohort.problems(labels={"tumour": {"value": 3}, "node": {"value": 3}})
    assert [p.path for p in found] == ["labels.tumour.value", "labels.node.value"]
    assert "also the value of node" in found[0].message


TEN = """\
task: segmentaton
nmae: x
sources:
  - path: north
    sit: a
  - path: nowhere
channels:
  ct: {modality: PET, windows: [lnug]}
reference: pet
labels:
  tumour: {value: x}
annotations:
  - kind: objects
    format: rtstrct
split: {strategy: groupd}
"""


def test_ten_mistakes_are_told_at_once_each_on_its_line(cohort):
    cohort.path.write_text(TEN)
    with pytest.raises(ConfigError) as caught:
        load(cohort.path, environment={})
    assert [(p.line, p.path) for p in caught.value.problems] == [
        (1, "task"),
        (2, "nmae"),
        (5, "sources[0].sit"),
        (6, "sources[1].path"),
        (8, "channels.ct.modality"),
        (8, "channels.ct.windows[0]"),
        (9, "reference"),
        (11, "labels.tumour.value"),
        (14, "annotations[0].format"),
        (15, "split.strategy"),
    ]
    assert str(caught.value).startswith("cohort.yaml: 10 problems\n  line 1: task: must be one of")


@pytest.mark.parametrize("text", ["", "- a\n", "word\n", "3\n"])
def test_a_file_without_keys_is_no_cohort(cohort, text):
    cohort.path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(cohort.path, environment={})
    assert {"task", "sources", "channels", "labels"} <= {p.path for p in caught.value.problems}
