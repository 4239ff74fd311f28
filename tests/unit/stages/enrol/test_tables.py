import pytest

from isocenter.base.errors import ConfigError
from isocenter.model.rows import FrameRow
from isocenter.model.vocabulary import Vocabulary
from isocenter.stages.enrol.tables import link_table
from tests.unit.stages.plans import a_contract, a_dicom, a_source, a_volume, inputs_of
from tests.unit.stages.rows import NAMES

COLUMNS = {"key": "id", "lesion": "les", "heart": "hea"}


@pytest.fixture
def read(tmp_path):
    def link(text, inputs=None, *, eligible=None, speakers=None, **source):
        (tmp_path / "t.csv").write_text(text)
        found = inputs or inputs_of(a_dicom("a"), table=tmp_path)
        found = type(found)(**{**vars(found), "base": tmp_path}) if found.base != tmp_path else found
        contract = a_contract()
        source = a_source(path="t.csv", **({"columns": COLUMNS} | source))
        names = Vocabulary(contract.labels)
        made = link_table(
            source, 0, found, eligible or found.stacks, names, contract.labels, NAMES, speakers or {}
        )
        assert made.used + sum(1 for i in made.issues if i.rule == "enrol/no-image") >= bool(made.rows)
        return made

    return link


def states(annotation):
    return dict(zip(annotation.labels, annotation.states, strict=True))


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("1", "marked"),
        ("yes", "marked"),
        ("0", "absent"),
        ("No", "absent"),
        ("", "not_annotated"),
        ("?", "not_annotated"),
    ],
)
def test_a_column_per_label_says_yes_no_or_nothing(read, word, state):
    [found] = read(f"id,les,hea\nP-17,{word},0\n").annotations
    assert states(found) == {"lesion": state, "heart": "absent"}


def test_several_rows_of_one_image_add_up(read):
    """One finding per row: the second must not take back what the first has marked."""
    [found] = read("id,what\nP-17,GTV\nP-17,heart\n", columns={"key": "id", "label": "what"}).annotations
    assert states(found) == {"lesion": "marked", "heart": "marked"}
    [found] = read("id,les,hea\nP-17,1,0\nP-17,0,\n").annotations
    assert states(found) == {"lesion": "marked", "heart": "absent"}


def test_a_label_column_speaks_of_all_labels_and_holds_several(read):
    columns = {"key": "id", "label": "what"}
    [found] = read("id,what\nP-17,GTV | heart\n", columns=columns).annotations
    assert states(found) == {"lesion": "marked", "heart": "marked"}
    made = read("id,what\nP-17,spleen\n", columns=columns)
    assert states(made.annotations[0]) == {"lesion": "absent", "heart": "absent"}
    assert [(i.rule, i.measured) for i in made.issues] == [("enrol/unmapped-label", "spleen")]


def test_raters_of_a_column_are_kept_apart(read):
    made = read("id,les,hea,who\nP-17,1,0,ann\nP-17,0,0,bob\n", columns=COLUMNS | {"rater": "who"})
    assert len({a.rater for a in made.annotations}) == 2


BOX = {"shape": "boxes", "columns": {"key": "id"}, "label": "lesion"}
CENTRE = {"shape": "centres", "columns": {"key": "id"}, "label": "lesion"}


@pytest.mark.parametrize(("world", "box"), [("LPS", (-4, -5, 3, -1, -2, 6)), ("RAS", (1, 2, 3, 4, 5, 6))])
def test_boxes_are_turned_to_ras(read, world, box):
    [found] = read("id,x0,y0,z0,x1,y1,z1\nP-17,1,5,3,4,2,6\n", world=world, **BOX).annotations
    assert found.boxes == box
    assert found.labels == found.searched == ("lesion",)


def test_a_centre_and_a_diameter_are_a_box(read):
    [found] = read("id,x,y,z,diameter_mm\nP-17,10,20,30,4\n", **CENTRE).annotations
    assert found.boxes == (-12, -22, 28, -8, -18, 32)


def test_blank_coordinates_say_that_nothing_was_found(read):
    [found] = read("id,x,y,z,diameter_mm\nP-17,,,,\n", **CENTRE).annotations
    assert (found.boxes, found.labels, found.searched) == ((), (), ("lesion",))


@pytest.mark.parametrize(
    "row",
    ["P-17,1,2,x,4", "P-17,1,2,,4", "P-17,1,2,nan,4", "P-17,1,2,inf,4", "P-17,1,2,3,-4", "P-17,1,2,3,0"],
)
def test_a_coordinate_that_makes_no_sense_is_refused_with_its_row(read, row):
    with pytest.raises(ConfigError, match="row 2 of the table"):
        read(f"id,x,y,z,diameter_mm\nP-17,1,2,3,4\n{row}\n", **CENTRE)


@pytest.mark.parametrize(
    "columns",
    [
        {"key": "nope", "lesion": "les"},
        COLUMNS | {"site": "nope"},
        COLUMNS | {"rater": "nope"},
        COLUMNS | {"heart": "nope"},
    ],
)
def test_a_column_that_is_not_there_is_told(read, columns):
    with pytest.raises(ConfigError, match="no column 'nope'"):
        read("id,les,hea\nP-17,1,0\n", columns=columns)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("subject", "P-17"),
        ("series", "1.9"),
        ("study", "1.8"),
        ("instance", "1.9.1"),
        ("path", "a/2.dcm"),
        ("path", "2.dcm"),
        ("path", "2"),
    ],
)
def test_a_row_names_its_image_by_many_kinds_of_keys(read, key, value):
    assert len(read(f"id,les,hea\n{value},1,0\n", key=key).annotations) == 1
    made = read("id,les,hea\nelse,1,0\n", key=key)
    assert made.annotations == []
    assert [(i.rule, i.measured) for i in made.issues] == [("enrol/no-image", "1 of 1 rows")]


def test_a_name_that_two_images_share_names_neither(read, tmp_path):
    inputs = inputs_of([a_volume("p/ct.nii"), a_volume("q/ct.nii")], pattern=("{subject}/*",), table=tmp_path)
    for value, count in (("ct.nii", 0), ("ct", 0), ("q/ct.nii", 1)):
        assert len(read(f"id,les,hea\n{value},1,0\n", inputs, key="path").annotations) == count


def test_one_id_at_two_centres_needs_the_centre(read, tmp_path):
    images = a_dicom("a", series="1.1") + a_dicom("b", series="1.2", source=1, site="south")
    inputs = inputs_of(images, sites=("north", "south"), table=tmp_path)
    made = read("id,les,hea\nP-17,1,0\n", inputs)
    assert made.annotations == []
    assert [i.rule for i in made.issues] == ["enrol/no-image"]
    made = read("id,les,hea,place\nP-17,1,0,south\n", inputs, columns=COLUMNS | {"site": "place"})
    assert [inputs.stacks[a.on].site for a in made.annotations] == ["south"]


def test_an_image_that_is_in_no_case_takes_nothing(read):
    assert read("id,les,hea\nP-17,1,0\n", eligible={"else"}).annotations == []


def test_words_that_are_neither_yes_nor_no_are_counted_and_not_shown(read):
    made = read("id,les,hea\nP-17,malignant,0\nP-17,2,\nP-17,-1,?\n")
    assert [(i.rule, i.measured) for i in made.issues] == [("enrol/unknown-value", "3 fields of lesion")]
    assert states(made.annotations[0]) == {"lesion": "not_annotated", "heart": "absent"}


def test_names_of_a_table_are_scrubbed(read, tmp_path):
    inputs = inputs_of(a_dicom("a", patient_name="Meyer^Jo"), table=tmp_path)
    made = read("id,what\nP-17,spleen of meyer P-17 jo\n", inputs, columns={"key": "id", "label": "what"})
    assert [i.measured for i in made.issues] == ["spleen of * * *"]


@pytest.mark.parametrize(
    ("header", "meant"),
    [
        ("P-17,Meyer,1", ""),
        ("Patient Meyer,Jo,1", ""),
        ("patient_id,les,hea", "; did you mean 'patient_id'?"),
        ("PatientIDs,les,hea", "; did you mean 'PatientIDs'?"),
    ],
)
def test_a_missing_column_shows_neither_the_folder_nor_the_first_patient(read, tmp_path, header, meant):
    with pytest.raises(ConfigError) as caught:
        read(f"{header}\n", columns={"key": "PatientID", "lesion": "les"})
    assert str(caught.value) == f"annotations[0].columns.key: no column 'PatientID' in t.csv{meant}"


def of_three_volumes():
    """One NIfTI file of three volumes, all of which are channels of one case."""
    row, file = a_volume("p/dwi.nii.gz", frames=3)
    frames = [FrameRow(file_id=row.file_id, frame=n) for n in range(3)]
    return inputs_of([(row, file)], pattern=("{subject}/*",), frames=frames)


@pytest.mark.parametrize("key", ["p/dwi.nii.gz", "dwi.nii.gz", "dwi"])
def test_a_row_on_a_file_of_several_volumes_is_kept_once(read, key):
    inputs = of_three_volumes()
    first = min(inputs.stacks.values(), key=lambda s: s.axis_index)
    speakers = dict.fromkeys(inputs.stacks, first.id)
    text = f"id,les,hea\n{key},1,0\n"
    [found] = read(text, inputs, key="path", speakers=speakers).annotations
    assert found.on == first.id
    assert states(found) == {"lesion": "marked", "heart": "absent"}
    # where each is a case of its own, the row does not say which is meant
    assert read(text, inputs, key="path").annotations == []


def test_a_name_that_two_files_share_names_none_whatever_they_hold(read):
    row, file = a_volume("q/dwi.nii.gz")
    inputs = inputs_of([a_volume("p/dwi.nii.gz"), (row, file)], pattern=("{subject}/*",))
    assert set(inputs.stacks_of_path) == {"p/dwi.nii.gz", "q/dwi.nii.gz"}


def test_a_row_on_an_object_speaks_of_one_slice_of_a_volume(read):
    text = "id,les,hea\n1.9.0,1,0\n1.9.2,0,\n1.9.2,0,1\n"
    [found] = read(text, key="instance").annotations
    slices = [NAMES.of("sop", f"1.9.{n}") for n in (0, 2)]
    told = set(zip(found.labels, found.slices, found.states, strict=True))
    assert told == {
        ("lesion", slices[0], "marked"),
        ("heart", slices[0], "absent"),
        ("lesion", slices[1], "absent"),
        ("heart", slices[1], "marked"),
    }


def test_a_row_on_the_object_of_a_single_picture_speaks_of_the_image(read):
    [found] = read("id,les,hea\n1.9.0,1,0\n", inputs_of(a_dicom("a", count=1)), key="instance").annotations
    assert found.slices == ()
    assert states(found) == {"lesion": "marked", "heart": "absent"}


def test_a_side_is_that_of_the_image(read):
    images = a_dicom("l", series="1.1", image_laterality="L", modality="MG", count=1) + a_dicom(
        "r", series="1.2", image_laterality="R", modality="MG", count=1
    )
    inputs = inputs_of(images)
    columns = COLUMNS | {"side": "side"}
    made = read("id,side,les,hea\nP-17,Left,1,0\nP-17,,1,1\n", inputs, columns=columns)
    [found] = made.annotations
    assert inputs.stacks[found.on].attribute("laterality") == "L"
    assert states(found) == {"lesion": "marked", "heart": "absent"}
    assert [i.rule for i in made.issues] == ["enrol/no-image"]


def test_every_name_of_a_table_is_counted_with_what_it_stands_for(read):
    made = read("id,what\nP-17,GTV 1|fat\nP-17,fat\n", columns={"key": "id", "label": "what"})
    assert dict(made.met) == {(0, "table", "GTV 1", "", "lesion"): 1, (0, "table", "fat", "", ""): 2}
